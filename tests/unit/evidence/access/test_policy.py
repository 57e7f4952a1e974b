"""The rules of access: a table of cases, and the algebra that no table can show."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.access.classes import access_classes, checked_classes
from evidence.access.errors import AccessInvalid
from evidence.access.policy import MEANINGS, RIGHTS, Action, Because, Person, Subject, classes_of, decide
from evidence.access.scope import WHOLE, scope_allows, scope_of
from evidence.parties.roles import ROLE_TITLES, Role

ME, OTHER = UUID(int=1), UUID(int=2)
OWN, BELOW, FOREIGN = UUID(int=11), UUID(int=12), UUID(int=13)
CASE, OTHER_CASE = UUID(int=21), UUID(int=22)
UNITS, CASES = frozenset({OWN, BELOW}), frozenset({CASE})
COVERT = frozenset({"covert"})

INV, R, A, AU, AD = Role.INVESTIGATOR, Role.REVIEWER, Role.ARCHIVIST, Role.AUDITOR, Role.ADMINISTRATOR
own, below = Subject(unit=OWN), Subject(unit=BELOW)
foreign, nowhere = Subject(unit=FOREIGN), Subject()
in_case = Subject(unit=FOREIGN, cases=frozenset({OTHER_CASE, CASE}))
covert_own = Subject(unit=OWN, classes=COVERT)

TABLE: list[tuple[Role, Subject, Action, Because]] = [
    (INV, own, Action.METADATA, Because.UNIT),
    (INV, own, Action.VIEW, Because.UNIT),
    (INV, below, Action.ORIGINAL, Because.UNIT),
    (INV, in_case, Action.EXCERPT, Because.CASE),
    (INV, in_case, Action.ANNOTATE, Because.CASE),
    (INV, foreign, Action.METADATA, Because.REACH),
    (INV, nowhere, Action.METADATA, Because.REACH),
    (INV, Subject(cases=frozenset({OTHER_CASE})), Action.METADATA, Because.REACH),
    (INV, covert_own, Action.METADATA, Because.CLASS),
    (INV, replace(in_case, classes=COVERT), Action.VIEW, Because.CLASS),
    (INV, Subject(cases=frozenset({OTHER_CASE}), opened_by=ME), Action.LINK, Because.OPENED),
    (INV, Subject(cases=frozenset({OTHER_CASE}), opened_by=OTHER), Action.LINK, Because.REACH),
    (INV, own, Action.APPROVE, Because.ROLE),
    (INV, own, Action.DISPOSE, Because.ROLE),
    (INV, own, Action.HOLD, Because.UNIT),
    (INV, own, Action.ADMINISTRATE, Because.ROLE),
    (R, own, Action.VIEW, Because.UNIT),
    (R, own, Action.APPROVE, Because.UNIT),
    (R, own, Action.ANNOTATE, Because.ROLE),
    (R, foreign, Action.APPROVE, Because.REACH),
    (A, own, Action.DISPOSE, Because.UNIT),
    (A, own, Action.APPROVE, Because.ROLE),
    (A, foreign, Action.DISPOSE, Because.REACH),
    (AU, foreign, Action.METADATA, Because.OFFICE),
    (AU, replace(foreign, classes=COVERT), Action.METADATA, Because.OFFICE),
    (AU, foreign, Action.VIEW, Because.REACH),
    (AU, own, Action.VIEW, Because.UNIT),
    (AU, covert_own, Action.VIEW, Because.CLASS),
    (AU, own, Action.IDENTIFY, Because.ROLE),
    (AU, replace(foreign, classes=COVERT), Action.CUSTODY, Because.OFFICE),
    (A, own, Action.CUSTODY, Because.UNIT),
    (A, foreign, Action.CUSTODY, Because.REACH),
    (A, covert_own, Action.CUSTODY, Because.CLASS),
    (INV, own, Action.CUSTODY, Because.ROLE),
    (R, own, Action.CUSTODY, Because.ROLE),
    (AD, own, Action.CUSTODY, Because.ROLE),
    (AU, own, Action.EXPORT, Because.ROLE),
    (AU, own, Action.ANNOTATE, Because.ROLE),
    (AD, own, Action.ADMINISTRATE, Because.OFFICE),
    (AD, own, Action.METADATA, Because.ROLE),
    (AD, own, Action.VIEW, Because.ROLE),
    (AD, own, Action.EXPORT, Because.ROLE),
    (Role.DOCK, own, Action.METADATA, Because.ROLE),
    (Role.CONTROLLER, own, Action.VIEW, Because.ROLE),
]


@pytest.mark.parametrize(("role", "subject", "action", "code"), TABLE)
def test_the_rules_by_example(role: Role, subject: Subject, action: Action, code: Because) -> None:
    person = Person(staff=ME, roles=frozenset({role}), units=UNITS, cases=CASES)
    decision = decide(person, subject, action)
    assert decision.code is code
    assert decision.allowed == (code in {Because.OFFICE, Because.UNIT, Because.CASE, Because.OPENED})
    assert decision.because == MEANINGS[code]


@pytest.mark.parametrize("role", Role)
def test_without_a_grant_nothing_is_allowed_but_the_offices(role: Role) -> None:
    nobody = Person(staff=ME, roles=frozenset({role}))
    allowed = {action for action in Action if decide(nobody, own, action).allowed}
    assert allowed == {
        AU: {Action.METADATA, Action.ATTRIBUTE, Action.CUSTODY},
        AD: {Action.ADMINISTRATE, Action.ATTRIBUTE},
    }.get(role, set())


def test_every_role_and_every_reason_is_in_the_tables() -> None:
    assert set(RIGHTS) == set(ROLE_TITLES)
    assert set(MEANINGS) == set(Because)


ids = st.sampled_from([UUID(int=number) for number in range(30, 34)])
id_sets = st.frozensets(ids, max_size=3)
class_sets = st.frozensets(st.sampled_from(sorted(access_classes().classes)), max_size=3)
people = st.builds(
    Person,
    staff=ids,
    roles=st.frozensets(st.sampled_from(Role), max_size=2),
    units=id_sets,
    cases=id_sets,
    classes=class_sets,
    all_units=st.booleans(),
)
subjects = st.builds(Subject, unit=st.none() | ids, cases=id_sets, classes=class_sets, opened_by=st.none() | ids)
actions = st.sampled_from(Action)


@given(people, subjects, actions, class_sets)
def test_a_class_more_on_a_clip_never_allows_more(
    person: Person, subject: Subject, action: Action, more: frozenset[str]
) -> None:
    narrowed = replace(subject, classes=subject.classes | more)
    assert decide(person, narrowed, action).allowed <= decide(person, subject, action).allowed


@given(people, subjects, actions, id_sets, id_sets, class_sets, st.booleans())
def test_a_grant_more_never_allows_less(
    person: Person,
    subject: Subject,
    action: Action,
    units: frozenset[UUID],
    cases: frozenset[UUID],
    classes: frozenset[str],
    everything: bool,
) -> None:
    richer = replace(
        person,
        units=person.units | units,
        cases=person.cases | cases,
        classes=person.classes | classes,
        all_units=person.all_units or everything,
    )
    assert decide(person, subject, action).allowed <= decide(richer, subject, action).allowed


@given(people, subjects, actions)
def test_who_may_do_anything_with_a_clip_may_know_of_it(person: Person, subject: Subject, action: Action) -> None:
    if action not in {Action.ADMINISTRATE, Action.ATTRIBUTE} and decide(person, subject, action).allowed:
        assert decide(person, subject, Action.METADATA).allowed


@given(people, subjects, actions)
def test_an_administrator_sees_nothing_whatever_is_granted(person: Person, subject: Subject, action: Action) -> None:
    administrator = replace(person, roles=frozenset({AD}))
    assert decide(administrator, subject, action).allowed == (action in {Action.ADMINISTRATE, Action.ATTRIBUTE})


@given(people, subjects)
def test_a_class_that_nobody_granted_hides_from_all_but_the_office(person: Person, subject: Subject) -> None:
    secret = replace(subject, classes=subject.classes | {"unheard_of"})
    assert decide(person, secret, Action.METADATA).allowed == (AU in person.roles)


@given(people, subjects.filter(lambda subject: subject.opened_by is None))
def test_a_search_finds_what_one_may_know_of_and_without_a_purpose_nothing_restricted(
    person: Person, subject: Subject
) -> None:
    asked = replace(person, roles=person.roles - {AD, Role.DOCK, Role.CONTROLLER} or frozenset({INV}))
    with_purpose = scope_allows(scope_of(asked, with_purpose=True), subject)
    assert with_purpose == decide(asked, subject, Action.METADATA).allowed
    without = scope_allows(scope_of(asked, with_purpose=False), subject)
    assert without == (with_purpose and not subject.classes)


def test_where_roles_alone_decide_nothing_is_hidden() -> None:
    by_role = Person(staff=ME, roles=frozenset({INV}), all_units=True, all_classes=True)
    assert scope_of(by_role, with_purpose=False) == replace(WHOLE, staff=ME)
    assert decide(by_role, replace(foreign, classes=COVERT), Action.VIEW).code is Because.ALL_UNITS


def test_classes_are_given_by_their_list() -> None:
    assert checked_classes(["minors", "covert", "minors"]) == ["covert", "minors"]
    for strange in ("", "COVERT", "covert ", "top", "covert\0", "covert'; --"):
        with pytest.raises(AccessInvalid) as caught:
            checked_classes([strange])
        assert caught.value.details["known"] == sorted(access_classes().classes)


@pytest.mark.parametrize(
    ("classified", "covert", "expected"),
    [
        (None, None, set()),
        (["minors"], None, {"minors"}),
        (None, {"basis": "x"}, {"covert"}),
        (["covert"], {"basis": "x"}, {"covert"}),
        (["secrets"], {"basis": "x"}, {"secrets", "covert"}),
    ],
)
def test_a_covert_annotation_puts_its_class_on_the_clip(
    classified: list[str] | None, covert: object, expected: set[str]
) -> None:
    assert classes_of(classified, covert=covert) == expected
