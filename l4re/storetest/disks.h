#pragma once

/* The disks of the test itself, as opposed to the service's. */
#ifdef __cplusplus
extern "C" {
#endif

enum { MARK_SIZE = 512 };

/* marks_write puts a line of fewer than MARK_SIZE bytes on the disk "marks", each one behind the former. A log of what
 * was written to the disks then tells what the service had acknowledged at every instant. 1 when it is written, else 0
 * after saying why. */
int marks_write(const char* line);

/* readonly_holds tries the disk "readonly": 1 when it refuses a write and takes a flush, else 0 after saying why. */
int readonly_holds(void);

#ifdef __cplusplus
}
#endif
