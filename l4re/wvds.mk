# What every part of the package is built with. WVDS_L4RE_DEPS is a folder with what comes from elsewhere: include/openssl,
# include/nlohmann, include/boost, lib/libcrypto.a, lib/libssl.a (docs/l4re.md says how it is made); give it to make or in
# the environment.
WVDS_ROOT := $(realpath $(PKGDIR)/..)
include $(WVDS_ROOT)/l4re/sources.mk

ifeq ($(wildcard $(WVDS_L4RE_DEPS)/include/openssl),)
  $(error WVDS_L4RE_DEPS must name a folder with include/openssl, include/nlohmann and lib/libcrypto.a; see docs/l4re.md)
endif

VPATH_SRC_BASE  = $(WVDS_ROOT)/src $(WVDS_ROOT)
PRIVATE_INCDIR  = $(WVDS_ROOT)/src $(WVDS_ROOT)/include $(WVDS_ROOT) $(WVDS_L4RE_DEPS)/include
WVDS_VERSION   := $(shell sed -n 's/^project.wvds_crypto_service VERSION \([0-9.]*\).*/\1/p' $(WVDS_ROOT)/CMakeLists.txt)
CXXFLAGS       += -std=gnu++2b -fstack-protector-strong
CPPFLAGS       += -DWVDS_VERSION='"$(WVDS_VERSION)"' -fmacro-prefix-map=$(WVDS_ROOT)/=
REQUIRES_LIBS   = libstdc++ libpthread
