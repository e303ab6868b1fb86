"""Rules of networks: a pipe or conduit ends on a node, names it rightly and falls with the flow."""

from layers.rules.words import Reach, Rule
from layers.schema import Text
from layers.store.rule_links import (
    find_high_inverts,
    find_jumps,
    find_lengths,
    find_lone_nodes,
    find_loose_ends,
    find_low_inverts,
    find_narrowing,
    find_other_nodes,
    find_slopes,
    find_unknown_nodes,
)
from layers.store.rule_places import find_close_points, find_off_lines
from layers.store.rule_values import find_above

# Geometry drawn on a map or written with seven decimals of a degree meets its node within a few centimetres.
SNAP_M = 0.5
CLOSE_M = 0.1
_FLAT, _STEEP = 0.0001, 0.15
_ENDS = (("from_node", "id"), ("to_node", "id"))


def _follow_nodes(links: str, nodes: str, title: Text, *, devices: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    """Return the rules that tie the ends of ``links``, which ``title`` names, to ``nodes``.

    ``devices`` are layers of points that join two nodes as well.
    """
    reach = (Reach(nodes, within=SNAP_M, by=_ENDS),)
    return (
        Rule(
            "ends-on-node",
            links,
            "error",
            Text(f"{title.vi}: hai đầu nằm trên nút", f"{title.en}: both ends lie on a node"),
            Text(
                "đầu này không nằm trên nút nào, nút gần nhất “{other}” cách {value} m",
                "this end lies on no node, the nearest, '{other}', is {value} m away",
            ),
            find_loose_ends(nodes, SNAP_M),
            Text(f"kéo đầu tuyến tới nút, sai số tối đa {SNAP_M} m", f"move the end to a node, within {SNAP_M} m"),
            reach,
        ),
        Rule(
            "node-exists",
            links,
            "error",
            Text(f"{title.vi}: nút được nêu có thật", f"{title.en}: the named node exists"),
            Text("nút “{value}” không tồn tại", "node '{value}' does not exist"),
            find_unknown_nodes(nodes),
            Text("sửa mã nút hoặc tạo nút", "correct the node's id, or create the node"),
            reach,
        ),
        Rule(
            "node-agrees",
            links,
            "warning",
            Text(f"{title.vi}: nút được nêu là nút ở đầu tuyến", f"{title.en}: the named node is the one drawn"),
            Text("nút “{other}” cách đầu tuyến {value} m", "node '{other}' lies {value} m from this end"),
            find_other_nodes(nodes, SNAP_M),
            Text("tuyến vẽ ngược chiều, hoặc sai mã nút?", "is the line drawn backwards, or the node's id wrong?"),
            reach,
        ),
        Rule(
            "length-differs",
            links,
            "warning",
            Text(f"{title.vi}: chiều dài ghi khớp hình vẽ", f"{title.en}: the stated length is the drawn one"),
            Text("ghi {value} m, hình vẽ dài {other} m", "says {value} m, is drawn {other} m long"),
            find_lengths(0.1, 1.0),
        ),
        Rule(
            "lone-node",
            nodes,
            "warning",
            Text("Nút có tuyến nối vào", "A node has a link"),
            Text("không có tuyến nào bắt đầu hay kết thúc tại nút này", "no link begins or ends on this node"),
            find_lone_nodes(links, SNAP_M, devices=devices),
            reaches=(
                Reach(links, within=SNAP_M),
                *(Reach(one, by=(("id", "from_node"), ("id", "to_node"))) for one in devices),
            ),
        ),
        Rule(
            "close-nodes",
            nodes,
            "warning",
            Text("Các nút cách nhau", "Nodes lie apart"),
            Text("chỉ cách nút “{other}” {value} m", "lies only {value} m from node '{other}'"),
            find_close_points(nodes, CLOSE_M),
            Text("có phải cùng một nút?", "are they the same node?"),
        ),
    )


_DRAIN = Text("Cống, kênh", "Drainage link")
_PIPE = Text("Ống cấp nước", "Water pipe")
_DRAIN_NODES = (Reach("drainage_nodes", by=_ENDS),)

RULES = (
    *_follow_nodes("drainage_links", "drainage_nodes", _DRAIN),
    *_follow_nodes("water_pipes", "water_nodes", _PIPE, devices=("water_pumps", "water_valves")),
    Rule(
        "invert-below-ground",
        "drainage_nodes",
        "error",
        Text("Đáy hố ga dưới mặt đất", "A node's bottom lies below the ground"),
        Text(
            "cao độ đáy {value} m không thấp hơn cao độ mặt {other} m",
            "the invert, {value} m, is not below the rim, {other} m",
        ),
        find_above("invert_elevation", "ground_elevation", or_equal=True),
        Text("hai cao độ đổi chỗ, hoặc khác hệ cao độ?", "are the two exchanged, or of another datum?"),
    ),
    Rule(
        "invert-below-ground",
        "drainage_links",
        "error",
        Text("Đáy cống dưới mặt đất", "A link's invert lies below the ground"),
        Text(
            "cao độ đáy {value} m không thấp hơn mặt của nút “{other}”",
            "the invert, {value} m, is not below the rim of node '{other}'",
        ),
        find_high_inverts("drainage_nodes"),
        reaches=_DRAIN_NODES,
    ),
    Rule(
        "invert-above-node",
        "drainage_links",
        "warning",
        Text("Đáy cống không dưới đáy hố ga", "A link does not enter below the bottom of its node"),
        Text("đáy cống {value} m thấp hơn đáy nút “{other}”", "the invert, {value} m, is below that of node '{other}'"),
        find_low_inverts("drainage_nodes", 0.05),
        reaches=_DRAIN_NODES,
    ),
    Rule(
        "slope-against-flow",
        "drainage_links",
        "warning",
        Text("Cống dốc theo chiều chảy", "A gravity link falls with the flow"),
        Text("dốc ngược {value} ‰", "rises along the flow, {value} ‰"),
        find_slopes(None, 0.0),
        Text("đổi nút đầu và nút cuối?", "exchange its two nodes?"),
    ),
    Rule(
        "slope-flat",
        "drainage_links",
        "warning",
        Text("Cống không quá thoải", "A gravity link is not too flat"),
        Text(f"độ dốc {{value}} ‰ nhỏ hơn {_FLAT * 1000:g} ‰", f"its slope, {{value}} ‰, is below {_FLAT * 1000:g} ‰"),
        find_slopes(0.0, _FLAT),
    ),
    Rule(
        "slope-steep",
        "drainage_links",
        "warning",
        Text("Cống không quá dốc", "A gravity link is not too steep"),
        Text(f"độ dốc {{value}} ‰ lớn hơn {_STEEP * 1000:g} ‰", f"its slope, {{value}} ‰, exceeds {_STEEP * 1000:g} ‰"),
        find_slopes(_STEEP, None),
    ),
    Rule(
        "narrower-downstream",
        "drainage_links",
        "warning",
        Text("Cống không nhỏ dần về hạ lưu", "A conduit is not narrower than the one above it"),
        Text(
            "đường kính {value} m nhỏ hơn cống thượng lưu “{other}”",
            "its diameter, {value} m, is less than that of '{other}' above",
        ),
        find_narrowing("drainage_links"),
        reaches=(Reach("drainage_links", by=(("from_node", "to_node"), ("from_node", "from_node"))),),
    ),
    Rule(
        "diameter-jump",
        "water_pipes",
        "warning",
        Text("Đường kính hợp với ống bên cạnh", "A pipe's diameter fits its neighbours"),
        Text(
            "{value} m, gấp nhiều lần ống lớn nhất bên cạnh ({other} m)",
            "{value} m, far above the largest next to it ({other} m)",
        ),
        find_jumps("water_pipes", "diameter", 4.0),
        Text("sai đơn vị?", "is the unit wrong?"),
        reaches=(Reach("water_pipes", within=0.05),),
    ),
    Rule(
        "valve-on-pipe",
        "water_valves",
        "error",
        Text("Van nằm trên ống", "A valve lies on a pipe"),
        Text("cách ống gần nhất “{other}” {value} m", "lies {value} m from the nearest pipe, '{other}'"),
        find_off_lines(
            "water_pipes", SNAP_M, of="pipe_id", name="valve_type", values=("isolation", "check", "air", "washout")
        ),
        reaches=(Reach("water_pipes", within=SNAP_M),),
    ),
)
