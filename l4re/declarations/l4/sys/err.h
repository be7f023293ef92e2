#pragma once

enum { L4_EOK, L4_EIO, L4_ENOMEM, L4_ENOSYS, L4_ENOREPLY };
