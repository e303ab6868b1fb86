"""Small feeds for tests: a line of five stops along a street, and what can be wrong with one."""

from collections.abc import Mapping

from twin.transit.feed import Feed
from twin.transit.reading import build_feed

LON, LAT, STEP = 105.78, 10.03, 0.01
"""The first stop [°], and how far east the next one is: 1,095 m."""
FILES = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Xe buýt,https://bus.example,Asia/Ho_Chi_Minh\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
    + "".join(f"S{k},Trạm {k},{LAT},{LON + STEP * k:.4f}\n" for k in range(5)),
    "routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type,route_color\n"
    "R,A,01,Đông Tây,3,2E7D6B\n",
    "trips.txt": "route_id,service_id,trip_id,direction_id,shape_id\nR,W,T1,0,\nR,W,T2,0,\nR,W,B1,1,\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "T1,07:00:00,07:00:00,S0,1\nT1,,,S1,2\nT1,07:06:00,07:07:00,S2,3\nT1,07:10:00,07:10:00,S3,4\nT1,07:13:00,07:13:00,S4,5\n"
    "T2,07:30:00,07:30:00,S0,1\nT2,07:33:00,07:33:00,S1,2\nT2,07:36:00,07:37:00,S2,3\n"
    "B1,08:00:00,08:00:00,S4,1\nB1,08:12:00,08:12:00,S0,2\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "W,1,1,1,1,1,0,0,20260101,20261231\n",
    "feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date,feed_version,"
    "feed_contact_email\nSở,https://bus.example,vi,20260101,20261231,1,a@bus.example\n",
}


def make_feed(changes: Mapping[str, str] | None = None) -> Feed:
    """Return the small feed with some files replaced."""
    return build_feed({name: text.encode() for name, text in {**FILES, **(changes or {})}.items()}, "test")


def swap(name: str, old: str, new: str) -> dict[str, str]:
    """Return file ``name`` with a piece of its text replaced."""
    assert old in FILES[name]
    return {name: FILES[name].replace(old, new)}
