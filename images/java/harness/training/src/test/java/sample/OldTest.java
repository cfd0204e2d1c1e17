package sample;

public class OldTest {
  @org.junit.Test
  public void works() {
    org.junit.Assert.assertEquals(1, 1);
  }
}
