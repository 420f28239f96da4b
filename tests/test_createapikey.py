"""The command that makes a key for the API."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_user
from videos.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_prints_a_key_that_works(client, settings):
    out = StringIO()
    call_command("createapikey", "a script", user=make_user("ann").username, stdout=out)

    key = out.getvalue().strip()
    assert client.get("/v1.3/indexes", headers={"x-api-key": key}).status_code == 200
    assert ApiKey.objects.get().user.username == "ann"


def test_it_makes_none_that_would_not_work():
    make_user("gone", is_active=False)

    for user, sentence in (("gone", "gone may not sign in"), ("nobody", "no user named nobody")):
        with pytest.raises(CommandError, match=sentence):
            call_command("createapikey", "a script", user=user)
    with pytest.raises(CommandError, match="Give the key a name"):
        call_command("createapikey", " ")
    assert not ApiKey.objects.exists()


def test_without_a_name_it_is_for_the_local_user_only_where_that_is_who_works_here():
    call_command("createapikey", "of a private site", stdout=StringIO())
    make_user("ann")

    with pytest.raises(CommandError, match="Nobody signs in as local: .+ --user"):
        call_command("createapikey", "of the site that others reach now")

    local = ApiKey.objects.get().user
    local.set_password("long enough")
    local.save()
    call_command("createapikey", "of local, who signs in", stdout=StringIO())
    assert [key.user.username for key in ApiKey.objects.all()] == ["local", "local"]
