"""What Slack, Teams, Discord and a raw receiver get; nobody's name becomes markup or a mention there."""

from __future__ import annotations

import json

import pytest

from apps.notifications import formats
from apps.notifications.models import Format

NASTY = "<!channel> <https://evil.example|click> @everyone **bold** [x](https://evil.example) `code` & \\ <script>"


@pytest.fixture
def event(make_event, environment, cast):
    deployment = {"number": 3, "branch": "main", "commit": "0123456789abcdef", "error": NASTY}
    return make_event(
        title=f"Deployment of {NASTY}",
        environment=environment,
        actor=cast.bob,
        data={"deployment": deployment},
        path="/o/acme/p/shop/production/deployments/3/",
    )


def test_raw_is_all_there_is(event):
    body = formats.render(Format.RAW, event)
    assert set(body) == {
        *("id", "type", "created_at", "organization", "project", "environment", "actor", "title", "data", "url")
    }
    assert body["data"]["deployment"]["error"] == NASTY, "JSON needs no escaping of ours"
    assert body["url"].startswith("http")


def test_slack_gets_no_mention_and_no_link_of_a_name(event):
    body = formats.render(Format.SLACK, event)
    markup = [body["text"]]
    for block in body["attachments"][0]["blocks"]:
        for text in [block["text"]] if "text" in block else block["fields"]:
            if text["type"] == "mrkdwn":
                markup.append(text["text"])
    assert "<!channel>" not in "".join(markup)
    assert "<https://evil" not in "".join(markup)
    assert "&lt;!channel&gt;" in body["text"]
    assert markup[1].startswith("<http")
    assert body["attachments"][0]["color"] == "#d03b3b"
    assert any("0123456789ab" in field["text"] for field in body["attachments"][0]["blocks"][1]["fields"])


def test_teams_gets_an_adaptive_card_without_markdown(event):
    body = formats.render(Format.TEAMS, event)
    assert body["type"] == "message"
    content = body["attachments"][0]
    assert content["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = content["content"]
    assert {line["type"] for line in card["body"]} == {"RichTextBlock"}, "the only text that knows no markup"
    assert card["actions"][0]["url"].startswith("http")
    assert card["body"][0]["inlines"][0]["text"].endswith(NASTY)


def test_discord_gets_an_embed_that_mentions_nobody(event):
    body = formats.render(Format.DISCORD, event)
    assert body["allowed_mentions"] == {"parse": []}
    embed = body["embeds"][0]
    assert "](https" not in embed["title"].replace("\\]\\(https", "")
    assert "\\*\\*bold" in embed["title"]
    assert "\\@everyone" in embed["title"]
    assert len(embed["title"]) <= 256
    assert all(0 < len(field["value"]) <= 1024 for field in embed["fields"])


@pytest.mark.parametrize("name", Format.values)
def test_every_format_lives_with_an_event_that_knows_little(make_event, name, project):
    event = make_event(project=None, title="Something")
    event.payload, event.path, event.actor = {}, "", None
    json.dumps(formats.render(name, event))
    event.kind = "of.tomorrow"
    json.dumps(formats.render(name, event))


@pytest.mark.parametrize("name", Format.values)
def test_every_format_stays_small(make_event, name, environment):
    error = "x" * 20_000
    event = make_event(title="t" * 300, environment=environment, data={"deployment": {"error": error}})
    size = len(json.dumps(formats.render(name, event)))
    assert size < (30_000 if name == Format.RAW else 4_000)
