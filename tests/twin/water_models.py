"""Small EPANET files that the tests of water supply share."""

TOWN = """[TITLE]
A town of four junctions
[JUNCTIONS]
;ID  Elev  Demand  Pattern
 A   5     0
 B   6     10      day
 C   4     20      day   ; by the market
 D   3
[RESERVOIRS]
 R   10
[TANKS]
 T   30    3  0.5  5  12  0
[PIPES]
 P1  A B  500  200  120  0.1  Open
 P2  B C  400  150  110
 P3  C D  300  100  100  0    CV
 P4  A C  800  150  120  Open
 P5  A T  100  200  130
[PUMPS]
 PU  R A HEAD rise
[VALVES]
 V1  B D  100  PRV  25  0.2
[DEMANDS]
 D   3   day
 D   2   flat
[STATUS]
 V1  Open
[PATTERNS]
 day  0.5 0.6 1.2 1.6 1.4 0.7
 flat 1
[CURVES]
 rise 30 40
[CONTROLS]
LINK PU CLOSED IF NODE T ABOVE 4.5
LINK PU OPEN IF NODE T BELOW 2
LINK P4 CLOSED AT TIME 30
[TIMES]
 Duration 24
 Pattern Timestep 4:00
[OPTIONS]
 Units LPS
 Headloss H-W
 Accuracy 0.0001
[COORDINATES]
 A 0 0
 B 500 0
 C 500 400
 D 800 400
 R -100 0
 T 0 100
[VERTICES]
 P4 250 400
[TAGS]
 NODE A start
[END]
"""
