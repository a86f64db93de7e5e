"""What is done to a server as a whole: one file per pipeline."""
