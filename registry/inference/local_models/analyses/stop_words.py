"""English words that say nothing about what a text is about."""

_LINES = (
    "a an the this that these those such same other another each every either neither both all",
    "any some none no few many much more most less least several enough own i me my mine myself",
    "we us our ours ourselves you your yours yourself yourselves he him his himself she her hers",
    "herself it its itself they them their theirs themselves one ones someone somebody something",
    "anyone anybody anything everyone everybody everything nobody nothing who whom whose which",
    "what when where why how whoever whatever whichever whenever wherever and or but nor so yet",
    "for if then else than because since while although though unless until whether as at by from",
    "in into of off on onto out over to up upon with within without about above across after",
    "against along among around before behind below beneath beside besides between beyond despite",
    "down during except inside like near outside past per through throughout toward towards under",
    "underneath via versus am is are was were be been being do does did done doing have has had",
    "having can could may might must shall should will would ought need get gets got getting go",
    "goes going gone went come comes came make makes made making take takes took taken let lets",
    "say says said see seen seem seems seemed keep keeps kept give gives gave given put puts use",
    "used using not never ever always often sometimes usually rarely seldom again already also",
    "almost just only even still too very quite rather really perhaps maybe here there now today",
    "soon later once twice well back away together instead however therefore thus hence moreover",
    "furthermore otherwise meanwhile anyway indeed else etc yes no ok okay please thanks thank",
    "first second last next new old good bad big small great little long short high low able",
    "don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't won't wouldn't can't",
    "cannot couldn't shouldn't i'm i've i'll i'd you're you've you'll you'd he's she's it's we're",
    "we've we'll they're they've they'll that's there's what's let's",
)
STOP_WORDS = frozenset(word for line in _LINES for word in line.split())
