/* Whether this process may use tile registers. */

#include "tiles.h"

#ifdef TILES
#include <sys/syscall.h>
#include <unistd.h>

#define ASK_FOR_STATE 0x1023 /* ARCH_REQ_XCOMP_PERM: Linux hands out the registers' 8 KB of state on demand */
#define TILE_DATA 18         /* XFEATURE_XTILEDATA */

/* Asks the kernel; to ask again does no harm. */
__attribute__((visibility("default"))) int64_t tiles_allowed(void) {
    return syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) == 0;
}
#else
__attribute__((visibility("default"))) long long tiles_allowed(void) { return 0; }
#endif
