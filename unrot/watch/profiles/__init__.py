"""What came in and was answered, column by column, and what it is compared with."""
