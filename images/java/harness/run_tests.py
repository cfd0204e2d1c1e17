"""Starts the test harness of Java under the relay. Arguments: see soundstage/RunTests.java."""

import sys

sys.path.insert(0, "/opt/soundstage/shared")
import relay

if __name__ == "__main__":
    relay.main(["java", "@/opt/soundstage/java.options", "soundstage.RunTests", *sys.argv[1:]])
