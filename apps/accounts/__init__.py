"""People: User, sign-in, sessions."""
