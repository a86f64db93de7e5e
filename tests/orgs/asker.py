"""`python -m tests.orgs.asker PERSON PROJECT CODE`: for each line that it reads it loads the person anew, asks whether
they have the code on the project, and prints 1 or 0."""

from __future__ import annotations

import sys


def main(person: str, project: str, code: str) -> None:
    import django

    django.setup()
    from apps.accounts.models import User
    from apps.projects.models import Project

    shop = Project.objects.select_related("organization").get(pk=project)
    for _ in sys.stdin:
        answer = User.objects.get(pk=person).has_perm(code, shop)
        print(int(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
