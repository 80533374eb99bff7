"""Keep it going: the caretaker, the work that machines share, copies, and what is let go."""
