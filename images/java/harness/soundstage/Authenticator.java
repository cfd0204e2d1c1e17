package soundstage;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** HMAC-SHA256 with one key of at most 64 bytes. {@code javax.crypto.Mac} would do the same and take JCE to be loaded first. */
final class Authenticator {
  private static final int BLOCK_BYTES = 64;

  private final MessageDigest digest;
  private final byte[] inner;
  private final byte[] outer;

  Authenticator(byte[] key) {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException error) {
      throw new AssertionError("every Java has SHA-256", error);
    }
    inner = padded(key, (byte) 0x36);
    outer = padded(key, (byte) 0x5c);
  }

  /** The code of these bytes, in hexadecimal. */
  String mac(byte[] bytes) {
    digest.update(inner);
    byte[] within = digest.digest(bytes);
    digest.update(outer);
    return HexFormat.of().formatHex(digest.digest(within));
  }

  private static byte[] padded(byte[] key, byte filler) {
    byte[] pad = new byte[BLOCK_BYTES];
    Arrays.fill(pad, filler);
    for (int at = 0; at < key.length; at++) {
      pad[at] ^= key[at];
    }
    return pad;
  }
}
