from tests.leaderboard.conftest import plain_static_files

__all__ = ["plain_static_files"]
