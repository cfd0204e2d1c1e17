package soundstage;

import org.jacoco.core.runtime.IExecutionDataAccessorGenerator;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Makes instrumented classes find their probes in {@link Probes}: no agent, no state that a test could reset. */
final class ProbeAccess implements IExecutionDataAccessorGenerator {
  private static final int STACK = 4;

  @Override
  public int generateDataAccessor(long id, String name, int count, MethodVisitor method) {
    method.visitLdcInsn(id);
    method.visitLdcInsn(name);
    method.visitLdcInsn(count);
    method.visitMethodInsn(
        Opcodes.INVOKESTATIC, "soundstage/Probes", "of", "(JLjava/lang/String;I)[Z", false);
    return STACK;
  }
}
