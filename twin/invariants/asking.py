"""Invariants that the database alone can answer."""

from collections.abc import Callable

from twin.audit.verifying import verify
from twin.invariants.words import Breach, Found, Scene
from twin.store_invariants import Question, ask


def answer(question: Question) -> Callable[[Scene], Found]:
    """Return what finds the breaches that ``question`` asks for."""

    def find(scene: Scene) -> Found:
        count, rows = ask(scene.connection, question, scene.most)
        return Found(count, tuple(Breach(*row) for row in rows))

    return find


def find_broken_links(scene: Scene) -> Found:
    """Find the places where the chain of the audit does not hold."""
    verdict = verify(scene.connection)
    named = tuple(Breach(f"audit position {one.position}", one.reason) for one in verdict.broken[: scene.most])
    return Found(verdict.broken_count, named)
