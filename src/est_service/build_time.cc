#include "est_service/build_time.h"

namespace wvds::est_service {

int64_t build_time() { return WVDS_BUILD_TIME; }

}  // namespace wvds::est_service
