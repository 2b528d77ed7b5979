"""Everything that is small enough to stand on a table or a shelf, and how often each is drawn."""

from .belongings import BELONGINGS
from .gear import GEAR
from .records import Choice
from .ware import WARE

SMALL: Choice = [*WARE, *GEAR, *BELONGINGS]
