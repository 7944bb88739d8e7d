"""A tiny Paraformer and its punctuation model, with random weights, in FunASR's own file format."""

import json
from pathlib import Path
from typing import Any

import torch
import yaml

CHARACTERS = [*"今天气很好我们去公园里看花草和小鸟"]
WORDS = ["<blank>", "<s>", "</s>", *CHARACTERS, "<unk>"]
MARKS = ["<unk>", "_", "，", "。", "？", "、"]

_ENCODER = {
    "attention_heads": 2,
    "linear_units": 32,
    "input_layer": "pe",
    "pos_enc_class": "SinusoidalPositionEncoder",
    "normalize_before": True,
    "kernel_size": 11,
    "sanm_shfit": 0,
    "selfattention_layer_type": "sanm",
}
RECOGNISER = {
    "model": "BiCifParaformer",
    "model_conf": {
        "ctc_weight": 0.0,
        "lsm_weight": 0.1,
        "length_normalized_loss": True,
        "predictor_weight": 1.0,
        "predictor_bias": 1,
        "sampling_ratio": 0.75,
    },
    "encoder": "SANMEncoder",
    "encoder_conf": {**_ENCODER, "output_size": 16, "num_blocks": 2},
    "decoder": "ParaformerSANMDecoder",
    "decoder_conf": {
        "attention_heads": 2,
        "linear_units": 32,
        "num_blocks": 2,
        "att_layer_num": 2,
        "kernel_size": 11,
        "sanm_shfit": 0,
    },
    "predictor": "CifPredictorV3",
    "predictor_conf": {
        "idim": 16,
        "threshold": 1.0,
        "l_order": 1,
        "r_order": 1,
        "tail_threshold": 0.45,
        "smooth_factor2": 0.25,
        "noise_threshold2": 0.01,
        "upsample_times": 3,
        "use_cif1_cnn": False,
        "upsample_type": "cnn_blstm",
    },
    "frontend": "WavFrontend",
    "frontend_conf": {"fs": 16000, "window": "hamming", "n_mels": 80, "lfr_m": 7, "lfr_n": 6},
    "tokenizer": "CharTokenizer",
    "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
}
PUNCTUATION = {
    "model": "CTTransformer",
    "model_conf": {
        "ignore_id": 0,
        "embed_unit": 16,
        "att_unit": 16,
        "dropout_rate": 0.1,
        "punc_list": MARKS,
        "sentence_end_id": 3,
    },
    "encoder": "SANMEncoder",
    "encoder_conf": {**_ENCODER, "input_size": 16, "output_size": 16, "num_blocks": 1},
    "tokenizer": "CharTokenizer",
    "tokenizer_conf": {"unk_symbol": "<unk>"},
}


def write_tiny_paraformer(folder: Path) -> Path:
    """Write the recogniser into ``folder``, and its punctuation model into ``ct-punc`` there."""
    _write(folder, RECOGNISER)
    _write(folder / "ct-punc", PUNCTUATION)
    return folder


def _write(folder: Path, config: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokens = folder / "tokens.json"
    tokens.write_text(json.dumps(WORDS, ensure_ascii=False), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    files = {"init_param": "model.pt", "tokenizer_conf": {"token_list": "tokens.json"}}
    meta = {"file_path_metas": {"config": "config.yaml", **files}}
    (folder / "configuration.json").write_text(json.dumps(meta))
    conf = {**config, "tokenizer_conf": {**config["tokenizer_conf"], "token_list": str(tokens)}}
    from funasr import AutoModel  # Here: collecting the tests must not need it.

    threads = torch.get_num_threads()
    model, _ = AutoModel.build_model(**conf, device="cpu", ncpu=threads, seed=7)
    torch.save(model.state_dict(), folder / "model.pt")
