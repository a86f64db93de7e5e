"""Organizations, memberships, roles, and the one question: may this person do this to this object?"""
