"""Learn from verdicts: jobs that make new versions, and what lets one of them answer."""
