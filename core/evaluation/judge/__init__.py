"""The LLM judge (section 4.1, "Ground-truth attribution"; appendix B.1): traces → labels.

    "given the input sources and the generated sentence, GPT-5.2 and Gemini-3 are prompted to assign
    the supporting source units based on semantic consistency."

question.py   a trace → what a judge is asked: cut sources with ids, raw sound and film, sentences
reading.py    what it answered → units and intervals a sentence, and what is wrong with the rest
service.py    what a service is: asks one question over HTTP; what may go wrong
openai_compatible.py, gemini.py: the services, each by its SDK
media.py      pictures, sound and films as services take them
patience.py   waiting for a busy service
agreement.py how far two labellers agree
cache.py      replies on disk, by content: resuming is asking again
run.py        a folder of traces, several at a time
estimate.py   what it would cost
"""
