package soundstage;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Turns what JUnit tells into records. */
final class Listener implements TestExecutionListener {
  private final Records records;
  private final TestNames names;
  private final Failures failures;
  private final Map<String, Long> started = new LinkedHashMap<>();
  private final Set<String> told = new HashSet<>();
  private TestPlan plan;
  private long collected;
  private int bad;

  Listener(Records records, TestNames names, Map<String, CompiledClass> classes) {
    this.records = records;
    this.names = names;
    this.failures = new Failures(classes);
  }

  int bad() {
    return bad;
  }

  @Override
  public void testPlanExecutionStarted(TestPlan testPlan) {
    plan = testPlan;
    collected = testPlan.countTestIdentifiers(TestIdentifier::isTest);
    announce();
  }

  private void announce() {
    records.record("collected", Map.of("count", collected));
  }

  @Override
  public void dynamicTestRegistered(TestIdentifier test) {
    if (test.isTest()) {
      collected++;
      announce();
    }
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      started.put(test.getUniqueId(), System.nanoTime());
      records.record("start", Map.of("id", id(test)));
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    for (TestIdentifier inner : plan.getDescendants(test)) {
      if (inner.isTest()) {
        tell(inner, "skipped", Map.of("message", String.valueOf(reason)));
      }
    }
    if (test.isTest()) {
      tell(test, "skipped", Map.of("message", String.valueOf(reason)));
    }
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    Throwable cause = result.getThrowable().orElse(null);
    boolean failed = result.getStatus() == TestExecutionResult.Status.FAILED;
    bad += failed ? 1 : 0;
    if (test.isTest()) {
      boolean aborted = result.getStatus() == TestExecutionResult.Status.ABORTED;
      tell(test, failed ? "failed" : aborted ? "skipped" : "passed", cause == null ? Map.of() : failures.of(cause));
    } else if (failed) {
      containerFailed(test, failures.of(cause));
    }
  }

  // What failed before or after a class's tests: those that did not run for it are told with it.
  private void containerFailed(TestIdentifier container, Map<String, Object> failure) {
    Map<String, Object> error = new LinkedHashMap<>(failure);
    error.put("id", id(container));
    records.record("error", error);
    for (TestIdentifier inner : plan.getDescendants(container)) {
      if (inner.isTest() && !told.contains(inner.getUniqueId())) {
        tell(inner, "error", failure);
      }
    }
  }

  private void tell(TestIdentifier test, String outcome, Map<String, Object> failure) {
    told.add(test.getUniqueId());
    Long start = started.get(test.getUniqueId());
    Map<String, Object> fields = new LinkedHashMap<>(failure);
    fields.put("id", id(test));
    fields.put("outcome", outcome);
    fields.put("duration_s", start == null ? 0.0 : (System.nanoTime() - start) / 1e9);
    records.record("case", fields);
  }

  private String id(TestIdentifier test) {
    TestName name = names.of(test.getSource(), test.getUniqueIdObject(), test.getLegacyReportingName());
    return name == null ? test.getUniqueId() : name.id();
  }
}
