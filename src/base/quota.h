/* The share of the processors that a container, a systemd unit or a batch job may use. */
#ifndef IREZONE_BASE_QUOTA_H
#define IREZONE_BASE_QUOTA_H

/// Processors' worth of time that the control groups of this process allow, the tightest of all that it is in: CFS
/// quota over period (cpu.max of version 2, cpu.cfs_quota_us of version 1). Which processors it may run on is another
/// matter, see sched_getaffinity().
/// @param[in] root  put in front of all paths, "" for the machine's own
/// @return infinity if nothing limits it or nothing can be read
double irz_quota_read(const char *root);

#endif
