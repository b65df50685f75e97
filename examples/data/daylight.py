"""How long the longest and the shortest day of a city are, by its latitude."""

import argparse
import math

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("city")
parser.add_argument("latitude", type=float)
arguments = parser.parse_args()


def hours_of_light(declination: float) -> float:
    """The hours between sunrise and sunset, where the sun stands over this latitude at noon."""
    cosine = -math.tan(math.radians(arguments.latitude)) * math.tan(math.radians(declination))
    return 24 / math.pi * math.acos(max(-1.0, min(1.0, cosine)))


june, december = hours_of_light(23.44), hours_of_light(-23.44)
print(f"{arguments.city}: {max(june, december):.1f} h and {min(june, december):.1f} h of light")
