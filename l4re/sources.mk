# The product's sources as they are built for L4Re, by folder of src/. A test compares these lists with the ones of the
# Linux build: what is missing here is Linux's own.

WVDS_BASE     = $(addprefix base/, algorithm.cc bytes.cc log.cc result.cc)
WVDS_PROTOCOL = $(addprefix protocol/, aes_messages.cc capability_messages.cc ecdsa_messages.cc est_messages.cc fields.cc frame.cc key_info_messages.cc \
                  key_messages.cc metrics_messages.cc mldsa_messages.cc mlkem_messages.cc operations.cc service_messages.cc)
WVDS_CHANNEL  = $(addprefix channel/, layout.cc pairing.cc slot_client.cc slots.cc spin.cc)
WVDS_CLIENT   = $(WVDS_BASE) $(WVDS_PROTOCOL) $(WVDS_CHANNEL) \
                $(addprefix channel/l4re/, client_end.cc shared_region.cc) \
                $(addprefix client/, aes_api.cc arguments.cc call_api.cc ecdsa_api.cc est_api.cc key_api.cc metrics_api.cc mldsa_api.cc \
                  mlkem_api.cc names_api.cc service_api.cc session.cc session_api.cc status_api.cc stream_api.cc stream_format.cc \
                  stream_input.cc stream_pipeline.cc l4re/default_address.cc) \
                platform/thread.cc platform/l4re/thread.cc

WVDS_CRYPTO   = $(addprefix crypto/, aead.cc argon2id.cc base64.cc certificate_key.cc digest.cc ec_key.cc ecdsa.cc engine.cc engine_check.cc fetched.cc kdf.cc library.cc locked_secret.cc message_digest.cc \
                  mldsa.cc mldsa_mu.cc mlkem.cc openssl_error.cc pkcs8.cc pqc_key.cc providers.cc secure_heap.cc spki.cc \
                  l4re/argon2id.cc l4re/openssl_place.cc)
WVDS_CONFIG   = $(addprefix config/, client_section.cc engine_section.cc est_section.cc json.cc problems.cc \
                  secret_source.cc section.cc service_config.cc socket_section.cc store_section.cc \
                  l4re/load_config.cc l4re/run_program.cc)
# What each of the two services is made of besides its own
WVDS_SERVER   = $(WVDS_BASE) $(WVDS_PROTOCOL) $(WVDS_CHANNEL) $(WVDS_CRYPTO) $(WVDS_CONFIG) channel/service_loop.cc \
                $(addprefix channel/l4re/, endpoint.cc session.cc shared_region.cc) \
                $(addprefix platform/, block_device.cc durable.cc file_name.cc ram_block_device.cc thread.cc wall_clock.cc) \
                $(addprefix platform/l4re/, block_device.cc console_log.cc disk.cc dl_locks.cc entropy.cc hardening.cc thread.cc) \
                $(addprefix access/, principal.cc rate_limiter.cc refusal.cc)

WVDS_KEYSTORE = audit_head.cc blob.cc block_directory.cc block_medium.cc expanded_keys.cc file/file_protector.cc format.cc \
                index_format.cc key_dates.cc key_pool.cc key_wrap.cc material.cc nonce_window.cc principals.cc record_format.cc \
                refill_bell.cc rollback_guard.cc store.cc store_change.cc store_files.cc store_headers.cc store_index.cc store_load.cc store_make.cc \
                store_metrics.cc store_open.cc stored_key.cc use_counter.cc
WVDS_SERVICE  = $(WVDS_SERVER) \
                $(addprefix keystore/, $(WVDS_KEYSTORE)) \
                $(addprefix service/, aes_handlers.cc audit_chain.cc audit_log.cc auto_rotation.cc capability_handler.cc ecdsa_handlers.cc engine_text.cc event_log.cc \
                  key_cache.cc key_guard.cc key_handlers.cc metrics.cc metrics_handler.cc metrics_text.cc mldsa_handlers.cc \
                  mlkem_handlers.cc op_table.cc reload.cc \
                  request_context.cc scratch.cc service.cc service_handlers.cc session.cc start_up.cc l4re/main.cc)

# est_service is a client of the crypto service, too: both have some sources, and "sort" leaves one of each.
WVDS_EST      = $(sort $(WVDS_SERVER) $(WVDS_CLIENT)) \
                $(addprefix keystore/, block_directory.cc block_medium.cc) \
                $(addprefix ossl_provider/, delegate.cc ecdsa_signature.cc errors.cc key_types.cc key_uri.cc keymgmt.cc load_key.cc \
                  mldsa_signature.cc provider.cc service_key.cc sessions.cc signature.cc store.cc) \
                $(addprefix est/, authentication.cc authorization.cc base64.cc certificate.cc certs_only.cc challenge.cc check.cc csr.cc \
                  csr_attributes.cc csr_extensions.cc csr_obey.cc dates.cc failure.cc http_request.cc http_response.cc ip_address.cc \
                  media_type.cc multipart.cc operation.cc renewal_info.cc response.cc schedule.cc server_key.cc subject.cc text.cc \
                  trust.cc url.cc x509_text.cc) \
                $(addprefix est_service/, agent.cc board.cc build_time.cc check_config.cc credential_keeper.cc credentials.cc \
                  crypto_key_service.cc enroller.cc folder.cc gateway.cc hint_id.cc https_server.cc relay.cc \
                  sector_records.cc serve.cc state.cc tls_failure.cc tls_stream.cc trust_keeper.cc world.cc l4re/main.cc)
