"""What short words and abbreviations in the names of columns mean, where that is certain."""

ABBREVIATIONS = {
    "amt": "amount", "ave": "average", "avg": "average", "bedrms": "bedrooms",
    "bmi": "body mass index", "dept": "department", "dob": "date of birth", "hp": "horsepower",
    "hr": "hour", "hrs": "hours", "lat": "latitude", "lng": "longitude", "lon": "longitude",
    "max": "maximum", "min": "minimum", "mnth": "month", "mpg": "miles per gallon", "ph": "pH",
    "qtr": "quarter", "qty": "quantity", "sqft": "square feet", "temp": "temperature",
    "windspeed": "wind speed", "workingday": "working day", "yr": "year", "yrs": "years",
}  # fmt: skip
"""Abbreviations that mean the same in the names of any data."""

COUNTED = ("num", "nb", "nr", "n", "number", "count")
"""Words before what is counted: "num_doors" is the number of doors."""

SHORT_WORDS = frozenset(
    """
    a act add age ago aid aim air all an and any arm art as ash ask at bad bag bar be bed bee
    big bin bit box boy bug bus buy by cab can cap car cat cry cup cut day dew do dog dry due
    dye ear egg elk end era eye fan far fat fee few fig fit for fun fur gap gas go gun gym hat
    hay he hen hip hot how hub hue ice id if in ink inn is it its jam jar jaw jet job jug key
    kid law leg lip log lot low man map max may me mid mix mom mud mug my nap net new no non not
    now nut oak odd of off oil old on one or our out own pad pan pay pea pen per pet pie pig pin
    pit pop pot pub ram raw ray red rib rim row rug run rye sea sex sin six sky so son sow sum
    sun tab tag tap tar tax tea ten tin tip to toe ton top toy tub two up us use van vat war wax
    way we web wet who win wit yes yet you zip zoo
    """.split()  # noqa: SIM905 (a list would be a page)
)
"""Words of up to three letters that are no abbreviations."""

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

YES_NO = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"), ("0", "1"),
    ("0.0", "1.0"), ("non", "oui"), ("nein", "ja"), ("nee", "ja"), ("nej", "ja"), ("no", "si"),
    ("no", "sí"), ("nao", "sim"), ("não", "sim"), ("nie", "tak"), ("ne", "ano"), ("нет", "да"),
    ("absent", "present"),
)  # fmt: skip
"""How data spell no and yes."""

NO_QUESTIONS = (
    "sex",
    "gender",
    "class",
    "group",
    "side",
    "type",
    "category",
    "race",
    "ethnicity",
    "origin",
    "region",
)
"""Names whose 0 and 1 stand for two kinds, not for no and yes."""
