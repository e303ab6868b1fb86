"""Small random networks for the property tests."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

# The first call compiles.
PROPERTY = settings(deadline=None)


@dataclass(frozen=True)
class Small:
    """A network of a few nodes: links as pairs of nodes, some of them one-way, with weights."""

    nodes: int
    links: tuple[tuple[int, int], ...]
    one_way: tuple[bool, ...]
    weights: tuple[int, ...]
    open_nodes: tuple[bool, ...]
    open_links: tuple[bool, ...]


@st.composite
def draw_network(draw: DrawFn, *, most_nodes: int = 9, most_links: int = 14) -> Small:
    nodes = draw(st.integers(1, most_nodes))
    end = st.integers(0, nodes - 1)
    links = tuple(draw(st.lists(st.tuples(end, end), max_size=most_links)))
    several = st.lists(st.booleans(), min_size=len(links), max_size=len(links))
    mostly = st.sampled_from((True, True, True, False))
    return Small(
        nodes,
        links,
        tuple(draw(several)),
        tuple(draw(st.lists(st.integers(0, 9), min_size=len(links), max_size=len(links)))),
        tuple(draw(st.lists(mostly, min_size=nodes, max_size=nodes))),
        tuple(draw(st.lists(mostly, min_size=len(links), max_size=len(links)))),
    )
