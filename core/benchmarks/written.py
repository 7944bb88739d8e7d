"""Written prompts for models that know the real world; whose sentences are needed, nobody says.

Facts are made up, so that an answer can only come from the text.
"""

from __future__ import annotations

from core.prompt import Prompt

WRITTEN = (
    Prompt.of(
        "Answer from the notes: what did the club decide, and when does it meet again?",
        [
            "The Harbour Walking Club met on 3 March. Nine members came. They decided to buy two "
            "new maps and a first-aid kit. The treasurer reported a balance of 214 euros.",
            "The next meeting is on 7 April in the old boathouse. Tea will be served. Members "
            "who cannot come should tell Irene before noon.",
        ],
    ),
    Prompt.of(
        "Why was the train late, and how did Marek get home?",
        [
            "The 17:40 train from Velden stopped outside the tunnel. A fallen birch lay across the "
            "rails. It took the crew fifty minutes to saw it up.",
            "Marek had promised to be home by seven. His phone was empty. He left the train at "
            "Orsa and borrowed a bicycle from the baker. He arrived at half past eight.",
        ],
    ),
    Prompt.of(
        "Compare the two kettles in two sentences.",
        [
            "The Alto kettle holds 1.7 litres. It boils in four minutes. Its lid is plastic and "
            "comes off. It costs 32 euros.",
            "The Brisa kettle holds 1.2 litres. It boils in three minutes. It is made of steel. "
            "It costs 58 euros and has a guarantee of five years.",
        ],
    ),
    Prompt.of(
        "Summarise what happened at the farm.",
        [
            "In May the well ran dry. Old Petra dug a ditch from the pond to the bean field. The "
            "beans recovered within a week.",
            "A fox took two hens in June. Petra mended the fence with wire from the shed. Since "
            "then no hen has been lost.",
        ],
    ),
)
