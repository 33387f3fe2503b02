"""The English words by which texts deny, doubt, list and place findings. A table, no code.

Compiled for this project from the description of NegEx (Chapman et al., J Biomed Inform 34 (2001)
301-310: triggers before and after a finding, pseudo-negations, words that end a scope) and of
ConText (Harkema et al., J Biomed Inform 42 (2009) 839-851: the same for what is hypothetical or
past), and from reading captions of ROCOv2 and MedPix. No published trigger list was copied.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "denies", "denied", "doubts", "doubted", "skip_all", "ends", "shows", "is", "with", "comma",
    "and", "or", "of", "on", "left", "right", "bilateral", "unilateral", "degree", "skip",
]  # fmt: skip
"""What a phrase does to the findings around it; the tables say what each kind means."""

ENGLISH: Mapping[Kind, str] = MappingProxyType(
    {
        # before a finding: it is not there
        "denies": """
            no | no known | without | without any | w/o | absence of | lack of | lacks
            | lacking | lacked | negative for | neg for | free of | free from | clear of
            | devoid of | denies | denied | denying | denial of | never had | rules out
            | ruled out for | ruling out | excludes | excluding | fails to show
            | failed to show | fails to reveal | failed to reveal | fails to demonstrate
            | failed to demonstrate | neither | nor | none of | cannot see
            | not associated with | not accompanied by | not with | not consistent with
            | not compatible with | not complicated by | not suggestive of | unremarkable for
            | not show | not showing | not reveal | not revealing | not demonstrate
            | not demonstrating | not have | not having | not had | not report | not contain
            | not exhibit | not display | not suggest | not indicate | not include
            | not develop | not complain of | nothing to suggest | not any | not a
            | no longer has | no history of | without history of | no past history of
            | no past medical history of | no prior history of""",
        # after a finding: it is not there
        "denied": """
            absent | not seen | not present | not identified | not visible | not visualized
            | not visualised | not evident | not found | not noted | not detected
            | not observed | not demonstrated | not appreciated | not apparent
            | not recognized | not there | ruled out | excluded | negative | no longer seen
            | no longer visible | no longer present | no longer evident | nil | none
            | not shown to be present | not revealed | not suspected""",
        # before a finding: it is left open, or a thing of the past
        "doubts": """
            possibly | rather than | instead of | probably | suspicious for | resolution of
            | suspicion of | not | never | cannot | missed | cannot exclude | cannot rule out
            | not exclude | not rule out | could not exclude | does not exclude | to rule out
            | rule out | r/o | to exclude | exclude | evaluate for | evaluation for
            | assess for | assessment for | concern for | concerning for | question of
            | risk of | risk for | at risk for | may represent | may be | might be | could be
            | could represent | if | whether | versus | vs | differential | worried about
            | screening for | screen for | search for | look for | exclusion of | perhaps
            | no other | without other | without any other | similar to | resembling
            | mimicking | no further | no additional | no new | without new | no more
            | not necessarily | not certain | prior | history of | past history of
            | family history of | previous | previously | prevention of | prevent | is there
            | are there""",
        # after a finding: the same
        "doubted": """
            cannot be excluded | cannot be ruled out | could not be excluded | not excluded
            | unlikely | less likely | not ruled out | not be ruled out | not be excluded
            | to be excluded | to be ruled out | possible | probable | suspected
            | questionable | uncertain | considered | resolved | disappeared | has resolved
            | have resolved""",
        # looks like a negation and is none; or says nothing of what is there
        "skip_all": """
            no change | no changes | no significant change | no interval change | no increase
            | no decrease | no improvement | without change | without significant change
            | unchanged | not only | not just | not merely | not shown | not to scale
            | no doubt | gram negative | no matter | not otherwise specified
            | without difficulty | without delay | without incident | without complication
            | without complications | not applicable | not available | not performed
            | not done | not obtained | not given | not limited to | not certain if | no cause
            | no surgical | if not | not included | whether or not | not reported | not known
            | right away | right now | right after | right before | all right | left untreated
            | left alone | was left | were left | left behind | he left | she left
            | patient left | left the | left hospital | right to | negative pressure
            | double negative | triple negative | rh negative | false negative
            | negative predictive value | t2 negative | negative contrast | no evidence based
            | why not | could not""",
        # a clause ends, and with it every scope
        "ends": """
            but | in order to | however | although | though | except | except for | apart from
            | aside from | other than | which | who | whom | that | because | since | due to
            | secondary to | caused by | resulting from | after | following | before
            | prior to | while | whereas | when | what | how | why | where | still | yet
            | nevertheless | nonetheless | besides | otherwise | then | as | so | there | here
            | despite | in spite of | even though | only | until | unless | given | also
            | instead | therefore | hence | thus | consistent with | compatible with
            | suggestive of | indicative of | in keeping with | diagnostic of | likely
            | most likely | by | via | through | under | than""",
        "shows": """
            i | he | she | we | they | you | it | get | gets | getting | got | take | takes
            | taking | took | know | knows | expect | happen | happens | happening | said
            | say | says | done | doing | start | starts | started | go | goes | going | went
            | want | need | feel | feels | felt | believe | think | thought | afford | tried
            | try | told | wrong | worried | afraid | show | shows | showed | shown | showing
            | reveal | reveals | revealed | revealing | demonstrate | demonstrates
            | demonstrated | demonstrating | depict | depicts | depicted | depicting
            | indicate | indicates | indicated | indicating | suggest | suggests | suggested
            | suggesting | display | displays | displaying | represent | represents
            | representing | confirm | confirms | confirmed | confirming | exhibit | exhibits
            | illustrate | illustrates | illustrating | report | reports | reported
            | developed | develops | presented | presents | presenting | complains of
            | complaining of | diagnosed | contains | containing | found to have
            | seen to have | has | have | had | having | undergoing | underwent | received
            | causing | causes | caused | displacing | displaces | pushing | invading
            | replacing | resulting in | leading to | extending | extends
            | compressing | arising | arises | requiring | required | require | treated
            | noticed | admitted""",
        "is": """
            is | are | was | were | be | been | being | remains | remained | appears
            | appeared | seen | noted | identified | present | visible | visualized
            | visualised | evident | found | detected | observed | appreciated | located
            | situated | known | occurs | occurred | exists | :""",
        "with": "with | w/ | accompanied by | associated with | complicated by | plus | +",
        "comma": ", | ( | ) | [ | ]",
        "and": "and | & | as well as | along with | together with",
        "or": "or | and/or | / | including | such as",
        # what follows says where the finding is
        "of": """
            of | in | at | within | involving | along | near | around | inside | into | to
            | from | affecting | over | above | below | beneath | adjacent to | between
            | across | for | next to | projecting over | projects over | projected over
            | overlying the | hiding the | obscuring the | blunting the | abutting the
            | encasing the | surrounding the | occupying the | filling the""",
        # what follows is a method or a time; only a side is taken from it
        "on": "on | upon | during | at time of | at this time | in this | in these | in a | in an",
        "left": "left | left sided | left side | leftward",
        "right": "right | right sided | right side | rightward",
        "bilateral": """
            bilateral | bilaterally | both | either side | either | left and right
            | right and left | left or right | right or left | left greater than right
            | right greater than left | left more than right | right more than left
            | both sides | bilateral sided | left to right | right to left""",
        "unilateral": "unilateral | unilaterally | one sided",
        "degree": """
            large | larger | small | smaller | tiny | moderate | moderately | mild | mildly
            | severe | severely | massive | minimal | minimally | marked | markedly | slight
            | slightly | extensive | acute | subacute | chronic | old | subtle | prominent
            | trace | huge | giant | big | diffuse | focal | multifocal | multiple | single
            | solitary | numerous | several | few | recurrent | persistent | progressive
            | enlarging | moderate sized | large sized | displaced | nondisplaced | recent
            | early | late | residual | decreased | increased | reduced | improved | stable""",
        # says nothing of what is there
        "skip": """
            a | an | the | this | these | those | his | her | its | their | some | any | our
            | my | your | do | does | did | can | may | might | will | would | should | could
            | evidence of | evidence for | evidence | signs of | sign of | sign for
            | findings of | finding of | findings suggestive of | features of | suggestion of
            | indication of | history | symptoms of | complaints of | normal | normally
            | relief | test | tests | testing | help | idea | clue | issue | issues
            | improvement | luck | just | still | yet | much | thanks | pls | definite
            | definitive | obvious | clear | clearly | apparent | significant | appreciable
            | convincing | discrete | frank | gross | overt | demonstrable | identifiable
            | detectable | radiographic | radiological | radiologic | sonographic | imaging
            | visible evidence of | suspicious | associated | underlying | dominant
            | discernible | ct | mri | mr | mra | cta | pet | xray | x ray | x rays | xrays
            | cxr | radiograph | radiographs | radiography | radiogram | ultrasound
            | ultrasonography | sonogram | sonography | scan | scans | image | images | view
            | views | film | films | photograph | photo | picture | figure | fig | panel
            | slice | slices | section | sections | study | examination | exam | axial
            | coronal | sagittal | transverse | ap | pa | lateral view | anteroposterior
            | posteroanterior | oblique view | t1 | t2 | flair | weighted | case | cases
            | patient | patients | man | woman | male | female | boy | girl | child | year
            | years | month | months | day | days | week | weeks | aged | cm | mm | arrow
            | arrows | arrowhead | arrowheads | asterisk | side | sides | sided | same
            | computed tomography | computed tomographic | tomography | magnetic resonance
            | magnetic resonance imaging | plain | please | find | show me | search | all
            | each | very | further | other | another""",
    }
)

ONE_FINDING = (
    "fracture broken broke",
    "stone calculus calculi",
    "tumor tumour neoplasm",
    "cancer carcinoma",
    "hemorrhage haemorrhage bleeding bleed",
    "edema oedema",
    "thrombus thrombi thrombosis clot",
    "ischemia ischaemia",
    "mass lump",
)
"""Words for the same finding, as patients and as reports say it; the first stands for all."""

DONE_TO = {"broken": "fracture", "fractured": "fracture", "dislocated": "dislocation"}
"""Words before what a finding has befallen, and its name: a broken wrist is a fracture of it."""

BONES = tuple(
    """
    arm forearm elbow shoulder wrist hand hands finger fingers thumb leg hip thigh knee ankle foot
    feet heel toe toes rib ribs collarbone clavicle scapula sternum humerus radius ulna scaphoid
    metacarpal metacarpals femur femoral tibia tibial fibula patella kneecap calcaneus metatarsal
    metatarsals acetabulum olecranon malleolus phalanx phalanges talus lunate shin maxilla zygoma
    ribcage pelvis sacrum coccyx tailbone spine vertebra vertebrae vertebral neck back skull
    jaw mandible nose nasal orbit cheekbone
    """.split()  # noqa: SIM905
)
"""What can be broken or dislocated, and begins the name of such a place."""

WHICH = tuple(
    """
    left right bilateral distal proximal upper lower mid middle little big great index ring lumbar
    cervical thoracic medial lateral anterior posterior
    """.split()  # noqa: SIM905
)
"""What says which bone, before it."""

DEVICES = ("screw", "needle", "nail", "stem", "prosthesis", "catheter", "plate", "piece")
"""What is named after a bone, and breaks as well, without a fracture."""

SIZES = frozenset(
    """
    large small tiny moderate mild severe massive minimal marked slight extensive huge giant big
    multiple numerous several trace decreased increased reduced improved persistent stable diffuse
    """.split()  # noqa: SIM905
)
"""What begins with one of these is there, even in a list that began with a denial."""

_MEDIUM = r"(?: (?:material|medium|media|agent|enhancement|administration))?\b"
_VEIN = r"(?:iv |intravenous |any )*"

WITHOUT_CONTRAST = (
    r"\b(?:non|pre)[- ]?(?:iv[- ])?contrast(?:[- ]enhanced)?\b|\bun-?enhanced\b|\bnon-?enhanced\b|"
    rf"\b(?:without|w/o|no) {_VEIN}contrast{_MEDIUM}"
)
WITH_CONTRAST = (
    r"\b(?:contrast|gadolinium|gad)[- ]enhanced\b|\bpost[- ]?(?:contrast|gadolinium)\b|"
    rf"\b(?:with|w/) ?{_VEIN}(?:contrast|gadolinium){_MEDIUM}"
)
"""Patterns of the many ways to say that a contrast medium was not, or was, given."""
