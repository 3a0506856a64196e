"""What short words and abbreviations in the names of columns mean, where that is certain."""

from pathlib import Path

ABBREVIATIONS = {
    "amt": "amount", "ave": "average", "avg": "average", "bedrms": "bedrooms",
    "bmi": "body mass index", "cnt": "count", "dept": "department", "dob": "date of birth",
    "hp": "horsepower", "hr": "hour", "hrs": "hours", "lat": "latitude", "lng": "longitude",
    "lon": "longitude",
    "max": "maximum", "min": "minimum", "mnth": "month", "mpg": "miles per gallon", "ph": "pH",
    "qtr": "quarter", "qty": "quantity", "sqft": "square feet", "temp": "temperature",
    "windspeed": "wind speed", "workingday": "working day", "yr": "year", "yrs": "years",
}  # fmt: skip
"""Abbreviations that mean the same in the names of any data."""

COUNTED = ("num", "nb", "nr", "n", "number", "count", "cnt")
"""Words before what is counted: "num_doors" is the number of doors."""

SHORT_WORDS = frozenset(Path(__file__).with_name("short_words.txt").read_text("ascii").split())
"""Words of up to four letters that are no abbreviations, most of them English."""

NO_WORDS = frozenset(
    """
    atemp boreratio exang famrel famsize famsup goout indus karno oldpeak parch poutcome
    pstatus remod schoolsup symboling thalach weathersit
    """.split()  # noqa: SIM905
)
"""Names in well-known data that are built like words and are none."""

BEGINNINGS = frozenset(
    """
    bl br ch cl cr cz dr dw dz fj fl fr gh gl gn gr kl kn kr pf ph pl pn pr ps rh rz sc sch sh sk
    sl sm sn sp sq st sv sw sz th tr ts tw vl vr wh wl wr zl zn zr zw
    """.split()  # noqa: SIM905
)
"""Two consonants with which words begin in English, German or other languages of Europe."""

ENDINGS = frozenset(
    """
    bb bs ch ck cs ct cz dd dh ds dt ff fs ft gg gh gn gs hl hm hn hr hs ht ks kt ld lf lg lk ll
    lm ln lp ls lt lz mb mf mm mn mp ms nc nd nf ng nk nn ns nt nz pf ph pp ps pt rb rc rd rf rg
    rh rk rl rm rn rp rr rs rt rz sch sh sk sm sp ss st sz th tr ts tt tz vs wk wl wn ws xt zt zz
    """.split()  # noqa: SIM905
)
"""Two consonants with which they end."""

NO_QUESTIONS = frozenset(
    """
    sex gender class group side type category race ethnicity origin region year yr month mnth
    quarter season half
    """.split()  # noqa: SIM905
)
"""Words in names whose 0 and 1 stand for two kinds, not for no and yes."""
