import os

import pytest

from mhdesk.library.plain_file import open_plain_file


def test_a_file_is_opened(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    with open_plain_file(tmp_path / "a") as file:
        assert file.read() == b"content"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        open_plain_file(tmp_path / "pipe")


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(OSError, match=path.name):
            open_plain_file(path)
