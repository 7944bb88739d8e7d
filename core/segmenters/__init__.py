"""Sound → segments with what was said, by whom (section 4.2.2, "Effect of ASR Segmentation").

One file a segmenter: ``bins``, ``pauses``, ``whisper``, ``paraformer``, ``scribe``; ``registry``
names them. ``sentences`` cuts words into sentences, ``chunks`` merges sentences into semantic
chunks with ``embedding``; ``of_trace`` applies one to the sound of a trace.
"""

from core.segmenters.base import Segmenter
from core.segmenters.of_trace import by_segments, segment, transcribe_file, transcribed
from core.segmenters.registry import SEGMENTERS, load_segmenter, segmenter_name

__all__ = [
    "SEGMENTERS",
    "Segmenter",
    "by_segments",
    "load_segmenter",
    "segment",
    "segmenter_name",
    "transcribe_file",
    "transcribed",
]
