"""What people see, frozen: the pages, the answers, the document and the words of the commands."""
