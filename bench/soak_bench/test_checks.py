"""Each check fails for what it is there for, and for one too many or too few: `PYTHONPATH=bench python3 -m unittest soak_bench.test_checks`."""

import unittest

from .checks import GROWTH, SLACK_BYTES, wrong

SENT = 1000
EARLY = 100 << 20
MOST = int(EARLY * (1 + GROWTH)) + SLACK_BYTES


def judged(failed=0, memory=(EARLY, MOST), flips=1, kills=1, **counted):
    total = {"seen": SENT, "answered_control": 600, "answered_candidate": 400, "answered_proxy": 0, **counted}
    return wrong(SENT, failed, total, memory, flips, kills)


class Checks(unittest.TestCase):
    def test_a_sound_run_has_nothing_wrong(self):
        self.assertEqual(judged(), [])

    def test_one_too_many_or_too_few_is_told(self):
        for name, change, told in [
            ("a failure", {"failed": 1}, "1 requests failed"),
            ("one not counted", {"seen": SENT - 1}, "counted 999 requests of 1000"),
            ("one counted twice", {"seen": SENT + 1}, "counted 1001 requests of 1000"),
            ("an answer of control lost", {"answered_control": 599}, "counted 999 answers to 1000 requests"),
            ("an answer of the candidate twice", {"answered_candidate": 401}, "counted 1001 answers"),
            ("an answer of the proxy", {"answered_proxy": 1}, "counted 1001 answers"),
            ("a byte too many", {"memory": (EARLY, MOST + 1)}, "memory grew"),
            ("no flip", {"flips": 0}, "too short"),
            ("no death", {"kills": 0}, "too short"),
        ]:
            with self.subTest(name):
                sentences = judged(**change)
                self.assertEqual(len(sentences), 1, sentences)
                self.assertIn(told, sentences[0])


if __name__ == "__main__":
    unittest.main()
