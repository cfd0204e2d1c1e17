package sample;

class BrokenTest {
  void broken() {
    new Nothing();
  }
}
