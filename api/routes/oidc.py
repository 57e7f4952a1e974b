"""Routes about signing in with the agency's OpenID provider, off unless a setting names one, and about links."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import oidc
from api.models.common import PageQuery, Recorded
from api.models.oidc import LinkAccount, LinkedSubjects, OidcBegin, OidcReturn, SignInWays, StrangerPage
from api.route import Answer, Route, json_of
from api.routes.access import ADMINISTRATORS, ANYBODY, OVERSEERS

SETTING = "oidc_issuer"

_BACK = Answer(status=303, means="It did not work, and a browser is led to the console, which says so")

OIDC_ROUTES: tuple[Route, ...] = (
    Route(
        name="sign_in_ways",
        method="GET",
        path="/v1/session/ways",
        summary="By what people sign in here: a local account, the agency's OpenID provider",
        roles=ANYBODY,
        handle=oidc.ways,
        answers=(json_of(200, SignInWays, "The ways"),),
        tag="session",
    ),
    Route(
        name="begin_oidc",
        method="GET",
        path="/v1/session/oidc",
        summary="Send a browser to the agency's OpenID provider, to sign in there",
        roles=ANYBODY,
        handle=oidc.begin,
        query=OidcBegin,
        answers=(Answer(status=303, means="On to the provider, with a cookie of this sign-in, or to the console"),),
        errors=("auth.provider_unavailable",),
        tag="session",
        setting=SETTING,
    ),
    Route(
        name="finish_oidc",
        method="GET",
        path="/v1/session/oidc/return",
        summary="Come back from the provider, with a session as a cookie",
        roles=ANYBODY,
        handle=oidc.finish,
        query=OidcReturn,
        answers=(
            Answer(status=200, means="Signed in; the page leads on", media_type="text/html; charset=utf-8"),
            _BACK,
        ),
        errors=(
            *("auth.provider_unavailable", "auth.provider_refused", "auth.flow_refused", "auth.id_token_refused"),
            *("auth.not_linked", "auth.second_factor_unstated", "account.disabled", "account.roles_invalid"),
            "account.unknown",
        ),
        tag="session",
        setting=SETTING,
    ),
    Route(
        name="link_account",
        method="POST",
        path="/v1/accounts/{staff}/links",
        summary="Link an account with a person of the provider, who may sign in with it there; for good",
        roles=ADMINISTRATORS,
        handle=oidc.link,
        body=JsonBody(LinkAccount),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("account.unknown", "account.subject_invalid", "account.link_taken"),
        tag="accounts",
    ),
    Route(
        name="list_account_links",
        method="GET",
        path="/v1/accounts/{staff}/links",
        summary="People of the provider whom an account belongs to",
        roles=OVERSEERS,
        handle=oidc.list_links,
        answers=(json_of(200, LinkedSubjects, "All of them"),),
        errors=("account.unknown",),
        tag="accounts",
    ),
    Route(
        name="list_strangers",
        method="GET",
        path="/v1/accounts/strangers",
        summary="People whom the provider let in and no account is linked with, as they came within 30 days",
        roles=OVERSEERS,
        handle=oidc.list_strangers,
        query=PageQuery,
        answers=(json_of(200, StrangerPage, "A page"),),
        errors=("request.cursor",),
        tag="accounts",
    ),
)
