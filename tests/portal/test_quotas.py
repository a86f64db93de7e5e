"""The page of quotas and usage, the samples behind it, and asking for more."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict
from apps.environments.tasks import sample_usage
from apps.environments.usage import take_samples, thin_out
from apps.orgs import quota_requests
from apps.orgs.models import Quota, QuotaRequest, UsageSample
from apps.orgs.services import add_member
from tests.cast import make_person
from tests.factories import make_environment, make_project, make_server

PAGE = "/o/acme/settings/quotas/"
SIZE = {"cpu": Decimal("1.5"), "memory_megabytes": 2048, "disk_megabytes": 10_240}
NOON = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)


def plotted(page: str) -> dict:
    return json.loads(re.search(r'<script id="usage-data" type="application/json">(.*?)</script>', page)[1])


def ask(cast, **more) -> QuotaRequest:
    values = {"organization": cast.acme, "actor": cast.bob, "reason": "More shops", "cpu": Decimal(8)} | more
    return quota_requests.ask(**values)


def test_a_sample_is_taken_once_an_hour_for_everybody(cast):
    shop = make_project(cast.acme, name="Shop")
    make_environment(shop, **SIZE)
    make_environment(make_project(cast.acme, name="Blog"), **SIZE)
    make_environment(shop, **SIZE, status="deleted")
    make_server(cast.acme)
    with clock.freeze(NOON):
        sample_usage()
        sample_usage()
    total = UsageSample.objects.get(organization=cast.acme, on_project=None)
    assert total.taken_at == NOON.replace(minute=0, second=0)
    assert (total.cpu, total.memory_megabytes, total.environments, total.servers) == (Decimal(3), 4096, 2, 1)
    assert UsageSample.objects.get(on_project=shop.pk).cpu == Decimal("1.5")
    assert UsageSample.objects.get(organization=cast.umbrella).environments == 0
    assert UsageSample.objects.count() == 4


def test_old_samples_are_thinned_out(cast):
    for days, hour in ((1, 5), (91, 5), (91, 0), (731, 0)):
        with clock.freeze(NOON.replace(hour=hour) - timedelta(days=days)):
            take_samples()
    with clock.freeze(NOON):
        thin_out()
    left = sorted((sample.taken_at for sample in UsageSample.objects.filter(organization=cast.acme)), reverse=True)
    assert [(NOON - moment).days for moment in left] == [1, 91]


def test_the_page_shows_allocated_against_quota(cast, sign_in):
    project = make_project(cast.acme, name="Shop")
    make_environment(project, name="Front", **SIZE)
    quota_requests.set_quota(organization=cast.acme, actor=cast.sam, cpu=Decimal(3), environment_cpu=Decimal(2))
    take_samples()
    page = sign_in(cast.vera).get(PAGE).content.decode()
    assert "1.5 of 3 cores" in page
    assert "2 GB, unlimited" in page
    assert "One environment has at most: CPU 2 cores." in page
    assert "Front" in page
    charts = plotted(page)["charts"]
    assert (charts[0]["values"], charts[0]["limit"]) == ([1.5], 3.0)
    assert (charts[1]["values"], charts[1]["limit"]) == ([2.0], None)


def test_a_developer_sees_totals_and_the_projects_that_are_theirs(cast, sign_in):
    make_environment(make_project(cast.acme, name="Secret plan"), name="Bunker", **SIZE)
    take_samples()
    dora = make_person("Dora")
    add_member(organization=cast.acme, user=dora, role="developer", actor=cast.alice)
    page = sign_in(dora).get(PAGE).content.decode()
    assert "1.5 cores, unlimited" in page
    assert "Secret plan" not in page
    assert "Bunker" not in page
    other = plotted(sign_in(dora).get(PAGE, {"project": "secret-plan"}).content.decode())
    assert other["charts"][0]["values"] == [1.5]  # still the organization's total


def test_one_project_over_time(cast, sign_in):
    make_environment(make_project(cast.acme, name="Shop"), **SIZE)
    make_environment(make_project(cast.acme, name="Blog"), **SIZE)
    take_samples()
    page = sign_in(cast.alice).get(PAGE, {"project": "shop", "days": "30"}).content.decode()
    assert plotted(page)["charts"][0]["values"] == [1.5]


@pytest.mark.parametrize("query", [{"days": "x"}, {"days": "-1"}, {"project": "\0"}, {"page": "z"}, {"days": "100000"}])
def test_odd_questions_get_a_page(cast, sign_in, query):
    assert sign_in(cast.alice).get(PAGE, query).status_code == 200


def test_a_name_does_not_leave_its_place(cast, sign_in):
    project = make_project(cast.acme, name="</script><script>alert(1)</script>")
    make_environment(project, name="<b>x</b>", **SIZE)
    take_samples()
    page = sign_in(cast.alice).get(PAGE).content.decode()
    assert "<script>alert(1)" not in page
    assert "<b>x" not in page


def test_the_page_has_a_constant_number_of_queries(cast, sign_in):
    alice = sign_in(cast.alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert alice.get(PAGE).status_code == 200
        return len(captured)

    make_environment(make_project(cast.acme, name="First"), **SIZE)
    queries()
    few = queries()
    for number in range(8):
        project = make_project(cast.acme, name=f"P {number}")
        for _ in range(2):
            make_environment(project, **SIZE)
    take_samples()
    assert queries() == few


def test_a_member_asks_and_staff_grant(cast, sign_in):
    form = {"cpu": "8", "environments": "5", "reason": "More\nshops"}
    assert sign_in(cast.bob).post(f"{PAGE}ask/", form).status_code == 302
    request = QuotaRequest.objects.get()
    assert request.asked_by == cast.bob
    quota_requests.set_quota(organization=cast.acme, actor=cast.sam, cpu=Decimal(2), servers=1)
    quota_requests.answer(request=request, is_granted=True, actor=cast.sam, text="Enjoy")
    quota = Quota.objects.get(organization=cast.acme)
    assert (quota.cpu, quota.environments, quota.servers, quota.memory_megabytes) == (Decimal(8), 5, 1, None)
    page = sign_in(cast.vera).get(PAGE).content.decode()
    assert "Granted" in page
    assert "Enjoy" in page
    assert Event.objects.filter(action__in=("quota.asked", "quota.granted", "quota.changed")).count() == 4


def test_refused_the_quota_stays(cast):
    request = quota_requests.answer(request=ask(cast), is_granted=False, actor=cast.sam, text="Not now")
    assert request.status == "refused"
    assert Quota.objects.get(organization=cast.acme).cpu is None
    for again in (True, False):
        with pytest.raises(Conflict):
            quota_requests.answer(request=request, is_granted=again, actor=cast.sam)


def test_one_request_waits_at_a_time(cast, sign_in):
    request = ask(cast)
    assert sign_in(cast.anna).post(f"{PAGE}ask/", {"cpu": "9", "reason": "Me too"}).status_code == 422
    with pytest.raises(Conflict):
        ask(cast)
    assert sign_in(cast.vera).post(f"{PAGE}{request.pk}/withdraw/").status_code == 403
    assert sign_in(cast.charlie).post(f"{PAGE}{request.pk}/withdraw/").status_code == 404
    assert sign_in(cast.bob).post(f"{PAGE}{request.pk}/withdraw/").status_code == 302
    assert sign_in(cast.bob).post(f"{PAGE}{request.pk}/withdraw/").status_code == 409
    assert ask(cast).status == "waiting"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "x"},
        {"cpu": "-1", "reason": "x"},
        {"cpu": "a lot", "reason": "x"},
        {"cpu": "NaN", "reason": "x"},
        {"environments": "99999999999999999999", "reason": "x"},
        {"cpu": "1", "reason": ""},
        {"cpu": "1", "reason": "x" * 1001},
        {"memory_megabytes": "-5", "reason": "x"},
    ],
)
def test_bad_requests_are_refused(cast, sign_in, wrong):
    assert sign_in(cast.bob).post(f"{PAGE}ask/", wrong).status_code == 422
    assert QuotaRequest.objects.count() == 0


def test_an_unknown_limit_is_refused(cast):
    with pytest.raises(ValidationError):
        quota_requests.set_quota(organization=cast.acme, actor=cast.sam, organization_id=1)
