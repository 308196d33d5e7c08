# What we change of the engine, whose version is pinned: where its time goes, never a result nor what is stale.
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

from snakemake.io import _IOFile
from snakemake.persistence import PersistenceBase


class Checksums:
    """Checksums of local files, each made once a run, in a thread beside the job that reads the file."""

    def __init__(self):
        self._thread = ThreadPoolExecutor(1)
        self._made = {}

    def begin(self, path):
        """Return the checksum that is being made of a file as it is now."""
        now = os.stat(path)
        version = (path, now.st_ino, now.st_size, now.st_mtime_ns)
        if version not in self._made:
            self._made[version] = self._thread.submit(sha256, path)
        return self._made[version]


def sha256(path):
    with open(path, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def hash_inputs_beside_their_job(checksums=Checksums()):
    """Hash the inputs of a job while it runs.

    The engine hashes them when the job has ended, for each of its outputs anew, and starts no other job meanwhile.
    """
    checksum, started = _IOFile.checksum, PersistenceBase.started

    async def known(self, threshold=None, force=False, algorithm=None):
        plain = not self.is_storage and algorithm is None and os.path.isfile(self.file)
        small = force or (threshold or 0) >= await self.size() if plain else False
        if not small:
            return await checksum(self, threshold, force, algorithm)
        return checksums.begin(self.file).result()

    def begin(self, job, external_jobid=None):
        for file in job.input:
            if not file.is_storage and os.path.isfile(file.file):
                checksums.begin(file.file)
        started(self, job, external_jobid)

    _IOFile.checksum, PersistenceBase.started = known, begin


def compare_parameters_as_text():
    """Let parameters be compared by their text; ours are text. The engine imports pandas to see whether one is a table."""
    PersistenceBase._serialize_param = PersistenceBase._serialize_param_builtin


hash_inputs_beside_their_job()
compare_parameters_as_text()
