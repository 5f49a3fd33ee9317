"""Lets hypothesis think of stories, and the model and both servers hear them."""

import asyncio

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, run_state_machine_as_test

from tests.support.model.servers import Servers
from tests.support.model.stories_of_administration import ADDRESSES, Administration
from tests.support.model.stories_of_second_factors import SecondFactors


class Stories(Administration, SecondFactors):
    """Everything that can happen, to two organizations that share a connection and a person."""

    @initialize(settled=st.booleans())
    def begin(self, settled: bool) -> None:
        """Let one of the two members have, or not, what a member can have."""
        owner, other = self.new_organization(own=True), self.new_organization(own=False)
        connection = self.world.connections[0]
        self.refer_to_connection(other, connection)
        for organization in (owner, other):
            self.add_member(organization, ADDRESSES[0], pending=False, breakglass=False)
        if settled:
            member = self.world.members[0]
            self.set_roles(member, {"reader"}, keep_sessions=False)
            self.set_roles_of_connection(connection, {"reader", "writer"}, set())
            self.sign_in_with_authenticator(member, connection, {"red"}, minutes=90)


def agrees(
    sqlite_url: str, postgres_url: str, *, examples: int, steps: int, seed_number: int
) -> None:
    """Let both servers be driven beside the model. AssertionError with the steps that part them."""
    with asyncio.Runner() as runner:
        servers = Servers((sqlite_url, postgres_url), runner)
        machine = seed(seed_number)(type("Machine", (Stories,), {"servers": servers}))
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    # A failure takes as long to make smaller as all the rest; it is told as it is.
                    phases=[Phase.generate],
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            servers.close()
