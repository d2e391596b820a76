import struct

import numpy as np
import pytest

from registry.inference.local_models.llama.gguf_file import GgufFile

F32, Q4_0, Q4_1, Q8_0 = 0, 2, 3, 8


def string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf(metadata=(), tensors=(), *, version=3, magic=b"GGUF"):
    """Write a file: metadata as (key, type, bytes), tensors as (name, shape, type, bytes)."""
    head = magic + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, kind, value in metadata:
        head += string(key) + struct.pack("<I", kind) + value
    data = b""
    for name, shape, kind, content in tensors:
        data += b"\0" * (-len(data) % 32)
        head += string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        head += struct.pack("<IQ", kind, len(data))
        data += content
    return head + b"\0" * (-len(head) % 32) + data


@pytest.fixture
def open_gguf(tmp_path):
    def write_and_open(*args, **options):
        path = tmp_path / "model.gguf"
        path.write_bytes(gguf(*args, **options))
        return GgufFile(path)

    return write_and_open


def test_metadata_of_all_kinds(open_gguf):
    file = open_gguf(
        [
            ("text", 8, string("grüße")),
            ("small", 0, b"\x07"),
            ("big", 10, struct.pack("<Q", 2**40)),
            ("float", 6, struct.pack("<f", 0.5)),
            ("double", 12, struct.pack("<d", 0.1)),
            ("yes", 7, b"\x01"),
            ("texts", 9, struct.pack("<IQ", 8, 2) + string("a") + string("b")),
            ("numbers", 9, struct.pack("<IQ2i", 5, 2, -1, 2)),
        ]
    )
    assert file.metadata == {
        "text": "grüße",
        "small": 7,
        "big": 2**40,
        "float": 0.5,
        "double": 0.1,
        "yes": True,
        "texts": ["a", "b"],
        "numbers": [-1, 2],
    }


def test_plain_weights_have_rows_first(open_gguf):
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    file = open_gguf([], [("pad", (1,), F32, b"\0" * 4), ("w", (2, 3), F32, weights.tobytes())])
    assert file.shape("w") == (2, 3)
    assert np.array_equal(file.read("w"), weights)
    assert file.read("w").dtype == np.float32


def test_eight_bit_blocks(open_gguf):
    quants = np.arange(-16, 16, dtype=np.int8)
    block = np.float16(0.5).tobytes() + quants.tobytes()
    file = open_gguf([], [("w", (1, 32), Q8_0, block)])
    assert np.array_equal(file.read("w")[0], quants * np.float32(0.5))


def test_four_bit_blocks(open_gguf):
    # The low half of byte n is weight n, the high half weight n + 16.
    low, high = np.arange(16, dtype=np.uint8), np.arange(15, -1, -1, dtype=np.uint8)
    block = np.float16(2).tobytes() + np.float16(-3).tobytes() + (low | high << 4).tobytes()
    file = open_gguf([], [("w", (2, 32), Q4_1, block * 2)])
    expected = np.concatenate([low, high]).astype(np.float32) * 2 - 3
    assert np.array_equal(file.read("w"), np.stack([expected, expected]))


def test_an_unknown_quantization_is_refused(open_gguf):
    file = open_gguf([], [("w", (32,), Q4_0, b"\0" * 18)])
    with pytest.raises(ValueError, match="unknown type 2"):
        file.read("w")


@pytest.mark.parametrize("wrong", [{"magic": b"PK\3\4"}, {"version": 99}])
def test_another_format_is_refused(open_gguf, wrong):
    with pytest.raises(ValueError, match="not a GGUF file"):
        open_gguf(**wrong)
