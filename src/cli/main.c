/* The program irezone: finds the command and calls it. */
#include <stdio.h>

int main(void) {
  fprintf(stderr, "irezone: no command yet\n");
  return 2;
}
