"""Who may do what: the sets of roles that routes name."""

from __future__ import annotations

from evidence.parties.roles import STAFF_ROLES, Role

ANYBODY = None
"""No token is asked for."""

DOCKS = frozenset({Role.DOCK})
CONTROLLERS = frozenset({Role.CONTROLLER})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Who sees which parties there are."""

STAFF = STAFF_ROLES

CUSTODIANS = frozenset({Role.AUDITOR, Role.ARCHIVIST})
"""Who reads who looked at what: the auditor everything, an archivist what is within reach."""

VIEWERS = STAFF_ROLES - {Role.ADMINISTRATOR}
"""Who may know what is on footage; an administrator manages and sees none."""

WRITERS = frozenset({Role.INVESTIGATOR, Role.ARCHIVIST})
"""Who says what is on footage and puts it into cases."""

EXPLAINERS = WRITERS | ADMINISTRATORS
"""Who says how a gap in a recorder's sequence came about: whoever works with it, or runs the equipment."""

RESOLVERS = frozenset({Role.ARCHIVIST, Role.ADMINISTRATOR})
"""Who says whose a flagged clip is: never an investigator, who may have recorded it."""

SENDERS = WRITERS | DOCKS
"""Who brings files."""

APPRAISERS = frozenset({Role.ARCHIVIST})
"""Who states how long recordings are kept, and proposes what goes."""

DECIDERS = frozenset({Role.ARCHIVIST, Role.REVIEWER})
"""Who decides about what another person proposed."""

HOLDERS = WRITERS | frozenset({Role.REVIEWER})
"""Who may keep something from going."""

REVIEWERS = frozenset({Role.REVIEWER})
"""Who gives opinions in legal review, and corrects what handlers stated."""

COORDINATORS = WRITERS | REVIEWERS
"""Who may be named to settle a disagreement in legal review; never who worked on the case."""

SAMPLERS = frozenset({Role.REVIEWER, Role.ARCHIVIST})
"""Who draws random samples of cases and assesses them."""
