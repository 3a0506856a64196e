"""What short words and abbreviations in the names of columns mean, where that is certain."""

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

SHORT_WORDS = frozenset(
    """
    a able acid act add adds age aged ago aid aim air airs all also amid an and anno any area arm
    arms army art as ash ask asks at atom aunt auto away baby back bad bag bail bake ball band bank
    bar base bath be beam bean bear beat bed beds bee been beer bell belt bend best beta big bike
    bill bin bird bit bite blog blue boat body bold bolt bond bone book boot born boss both bowl box
    boy boys bug bulk bump bus bush busy buy by byte cab cafe cage cake call calm camp can cap car
    card care cars case cash cast cat cell cena cent chat chef chin chip city clay clip club coal
    coat code cold come cook cool copy core cork corn cost cows crew crop cry cube cuff cup curb
    cure cut cyan dark dash data date dawn day days dead deal dear debt deck deed deep deer desk dew
    dial dice died dies diet dirt disc dish disk dive do dock does dog dogs done door dose down draw
    drop drug drum dry dual duck due dues dump dust duty dye each ear earn ears ease east easy eats
    edad edge edit egg eggs elk else end ends era euro even ever exam exit eye eyed eyes face fact
    fail fair fall fame fan fans far fare farm fast fat fate fear fee feed feel feet fell felt fern
    few fig file fill film find fine fire firm fish fit five flag flat flew flip flow fold folk food
    foot for fork form fort four free from fuel full fun fund fur gain game gang gap gas gate gave
    gear gene gift girl give glad go goal goat goes gold golf gone good gram grew grey grid grip
    grow gulf gun gym hair half hall hand hard harm hat hate haus have hay he head heap hear heat
    heel held help hen here hero hide high hike hill hint hip hire hits hold hole home hood hook
    hope horn host hot hour how hub hue huge hull hung hunt hurt ice icon id idea idle if in inch
    ink inn into iron is it item its jaar jahr jam jar jaw jet job jobs join joke jug july jump june
    junk jury just keen keep kept key keys kick kid kids kill kilo kind king knee knew know lack
    lady lake lamb lamp land lane last late law lawn lead leaf leak lean left leg lens less life
    lift like limb lime line link lion lip list live load loan lock log logo long look loop lord
    lose loss lost lot lots loud love low luck lung made maid mail main make male man many map mark
    masa mask mass mate math max may me meal mean meat meet melt memo menu mess mice mid mile milk
    mill mind mine mint miss mix mode mom mood moon more most moto move much mud mug must my nail
    name nap navy near neck need nest net new news next nice nine no node non none noon norm nose
    not note now nut nuts oak oath obey odd odds of off oil oils okay old on once one ones only onto
    open or oral our out oven over owed own owns pace pack pad page paid pain pair palm pan park
    part pass past path pay pea peak peer pen per peso pet pets pick pie pier pies pig pike pin pine
    pink pint pipe pit plan play plot plus poem poet pole poll pond pool poor pop pore pork port
    pose post pot pour prey prix pub pull pump pure push race rack rail rain ram rank rare rate raw
    ray read real rear red rent rest rib rice rich ride rim ring rise risk road rock rode rok role
    roll roof room root rope rose row ruby rug ruin rule run runs rush rust rye safe sage said sail
    sale salt same sand save scan sea seal seat seed seek seem seen self sell semi send sent sets
    sex sexe sexo shed ship shoe shop shot show shut sick side sign silk sin sing sink site six size
    skin skip sky slim slip slot slow snow so soap soda sofa soft soil sold sole solo some son song
    soon sort soul soup sour sow span spin spot star stay stem step stop suit sum sun sure swim tab
    tag tail take talk tall tank tap tape tar task taux tax taxi tea team tear teen tell ten tens
    tent term test text than that them then they thin this thus tide tied tile till time tin tiny
    tip tipo tips tire to toe toll ton tone tool top tops tour town toy toys tram trap tree trim
    trip true tub tube tuna tune turn twin two typ type tyre unit up upon urea us use used user uses
    van vary vase vast vat veal vein very vest veto vice view vine visa void volt vote waga wage
    wait walk wall want war ward warm warn wash wave wax way ways we weak wear web week well went
    were west wet what when who whom wide wiek wife wild will win wind wine wing wire wise wish wit
    with wolf wood wool word wore work worn yard yarn year yes yet you your zahl zeit zero zinc zip
    zone zoo
    """.split()  # noqa: SIM905 (a list would be a page)
)
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
