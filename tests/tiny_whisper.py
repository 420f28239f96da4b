"""Build a tiny CTranslate2 Whisper model that the real faster-whisper loads and runs.

No network trained on anything: the token embeddings are one-hot, all layers pass nothing on,
and the output projection is a table of next tokens. Every window of sound in which the speech
detector hears somebody therefore says the same SAYS, 0.4 s a word, from 0.0 s on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SAYS = "hello from the test model"
WORDS = ["Ġ" + word for word in SAYS.split()]
LANGUAGES = ["en", "de", "fr"]
DETECTED = "en"
WIDTH, HEADS, MELS, POSITIONS = 64, 2, 80, 1500
WORD_POSITIONS = 20  # encoder positions of 20 ms: one word lasts 0.4 s
WEIGHT = 4.0

START, END, NO_STAMPS = "<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>"
TASKS = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
STAMPS = [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
FIRST_STAMP, LAST_STAMP = "<|0.00|>", "<|2.00|>"


def build(folder: Path) -> Path:
    """Write the model, about 1 MB, to ``folder``; give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    words, special = _vocabulary()
    tokens = words + special + STAMPS
    index = {token: number for number, token in enumerate(tokens)}
    spec = WhisperSpec(1, HEADS, 1, HEADS)
    slots = _decoder(spec.decoder, index)
    _encoder(spec.encoder)
    _listen(spec.decoder.layer[0].attention, slots)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [index[END]]
    spec.config.lang_ids = [index[f"<|{code}|>"] for code in LANGUAGES]
    spec.config.alignment_heads = [[0, 0]]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    _tokenizer(words, special).save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "preprocessor_config.json").write_text(json.dumps(_features()))
    return folder


def _vocabulary() -> tuple[list[str], list[str]]:
    # An empty word tells CTranslate2 that the model knows more than one language.
    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *WORDS, ""]
    languages = [f"<|{code}|>" for code in LANGUAGES]
    return words, [END, START, *languages, *TASKS, NO_STAMPS]


def _features() -> dict[str, int]:
    return {
        "feature_size": MELS,
        "sampling_rate": 16000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }


def _tokenizer(words: list[str], special: list[str]) -> Any:
    tokenizer = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.add_tokens([AddedToken(stamp, normalized=False) for stamp in STAMPS])
    return tokenizer


def _zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def _norm(layer: Any) -> None:
    layer.gamma, layer.beta = np.ones(WIDTH, np.float32), _zeros(WIDTH)


def _linear(layer: Any, outputs: int, inputs: int) -> None:
    layer.weight, layer.bias = _zeros(outputs, inputs), _zeros(outputs)


def _block(layer: Any) -> None:
    """Fill a layer with zeros: what comes in goes out as it was."""
    _norm(layer.self_attention.layer_norm)
    _linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH)
    _linear(layer.self_attention.linear[1], WIDTH, WIDTH)
    _norm(layer.ffn.layer_norm)
    _linear(layer.ffn.linear_0, 2 * WIDTH, WIDTH)
    _linear(layer.ffn.linear_1, WIDTH, 2 * WIDTH)


def _encoder(encoder: Any) -> None:
    for conv, inputs in ((encoder.conv1, MELS), (encoder.conv2, WIDTH)):
        conv.weight, conv.bias = _zeros(WIDTH, inputs, 3), _zeros(WIDTH)
    marks = _zeros(POSITIONS, WIDTH)
    for position in range(POSITIONS):
        marks[position, min(position // WORD_POSITIONS, WORD_POSITIONS)] = 1
    encoder.position_encodings.encodings = marks
    _norm(encoder.layer_norm)
    _block(encoder.layer[0])


def _decoder(decoder: Any, index: dict[str, int]) -> dict[str, int]:
    """Set the table of next tokens; give the embedding slot of each token that is in it."""
    chain = ["<|transcribe|>", FIRST_STAMP, *WORDS, LAST_STAMP, END]
    slots = {token: slot for slot, token in enumerate([*chain, NO_STAMPS, START])}
    embeddings, table = _zeros(len(index), WIDTH), _zeros(len(index), WIDTH)
    for token, slot in slots.items():
        embeddings[index[token], slot] = 1
    for token, following in zip(chain, chain[1:], strict=False):
        table[index[following], slots[token]] = WEIGHT
    table[index[WORDS[0]], slots[NO_STAMPS]] = WEIGHT
    table[index[END], slots[WORDS[-1]]] = WEIGHT / 2  # where time tokens are not allowed
    table[index[f"<|{DETECTED}|>"], slots[START]] = WEIGHT
    decoder.embeddings.weight, decoder.projection.weight = embeddings, table
    decoder.position_encodings.encodings = _zeros(448, WIDTH)
    _norm(decoder.layer_norm)
    _block(decoder.layer[0])
    return slots


def _listen(attention: Any, slots: dict[str, int]) -> None:
    """Let word n attend to the nth 0.4 s: this is where faster-whisper reads word times."""
    _norm(attention.layer_norm)
    _linear(attention.linear[0], WIDTH, WIDTH)
    _linear(attention.linear[1], 2 * WIDTH, WIDTH)
    _linear(attention.linear[2], WIDTH, WIDTH)
    for number, token in enumerate([NO_STAMPS, *WORDS]):
        attention.linear[0].weight[number + 1, slots[token]] = 1
    for position in range(WORD_POSITIONS + 1):
        attention.linear[1].weight[position, position] = 1
