"""Post-hoc baselines (appendix C.2): methods that do not look at how an answer came about.

chance.py             random citations; every report holds them, as dense as each signal's
self_attribution.py   the model that answered, asked the judge's question
similarity.py         cosine of sentence and unit, and the threshold
own_embeddings.py     vectors by the model itself
clip.py               vectors by CLIP
run.py                a folder of traces → predictions in the form of labels
"""
