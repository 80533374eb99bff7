"""Whether what is told beside answers holds the truth as often as was asked for."""
