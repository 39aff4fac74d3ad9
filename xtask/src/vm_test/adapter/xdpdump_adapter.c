// SPDX-License-Identifier: GPL-2.0
/*
 * Makes an interface an adapter that stamps received frames by a clock of its own, as far as XDP programs, ethtool and
 * /dev/ptp show it. For tests in a virtual machine; it is never unloaded.
 *
 * The clock is 37 seconds ahead of the host's, like one that keeps TAI. Frames get no time stamp before the adapter was told
 * to stamp all of them, and those of odd length never get one.
 */
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/net_tstamp.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/ptp_clock_kernel.h>
#include <net/xdp.h>

static char *interface;
module_param(interface, charp, 0);
MODULE_PARM_DESC(interface, "name of the interface, in the network namespace of whoever loads the module");

static struct ptp_clock *clock;
static struct xdp_metadata_ops metadata_ops;
static struct ethtool_ops ethtool_ops;
static struct net_device_ops device_ops;
static struct kernel_hwtstamp_config stamping;
/* Which frames are stamped now, for tests. */
module_param_named(rx_filter, stamping.rx_filter, int, 0444);

static u64 adapter_time(void)
{
	return ktime_get_real_ns() + 37 * NSEC_PER_SEC;
}

static int gettime(struct ptp_clock_info *info, struct timespec64 *time)
{
	*time = ns_to_timespec64(adapter_time());
	return 0;
}

static struct ptp_clock_info clock_info = {
	.owner = THIS_MODULE,
	.name = "xdpdump test",
	.gettime64 = gettime,
};

static int rx_timestamp(const struct xdp_md *context, u64 *time)
{
	const struct xdp_buff *frame = (const void *)context;

	if (stamping.rx_filter != HWTSTAMP_FILTER_ALL || (frame->data_end - frame->data) % 2)
		return -ENODATA;
	*time = adapter_time();
	return 0;
}

static int get_ts_info(struct net_device *device, struct kernel_ethtool_ts_info *info)
{
	info->phc_index = ptp_clock_index(clock);
	return 0;
}

static int hwtstamp_get(struct net_device *device, struct kernel_hwtstamp_config *config)
{
	*config = stamping;
	return 0;
}

static int hwtstamp_set(struct net_device *device, struct kernel_hwtstamp_config *config,
			struct netlink_ext_ack *extack)
{
	stamping = *config;
	return 0;
}

static int __init start(void)
{
	struct net_device *device = dev_get_by_name(current->nsproxy->net_ns, interface);

	if (!device)
		return -ENODEV;
	clock = ptp_clock_register(&clock_info, NULL);
	if (IS_ERR_OR_NULL(clock)) {
		dev_put(device);
		return -ENODEV;
	}
	rtnl_lock();
	metadata_ops = *device->xdp_metadata_ops;
	metadata_ops.xmo_rx_timestamp = rx_timestamp;
	device->xdp_metadata_ops = &metadata_ops;
	ethtool_ops = *device->ethtool_ops;
	ethtool_ops.get_ts_info = get_ts_info;
	device->ethtool_ops = &ethtool_ops;
	device_ops = *device->netdev_ops;
	device_ops.ndo_hwtstamp_get = hwtstamp_get;
	device_ops.ndo_hwtstamp_set = hwtstamp_set;
	device->netdev_ops = &device_ops;
	rtnl_unlock();
	/* The interface may be deleted; the module stays. */
	dev_put(device);
	return 0;
}

module_init(start);
MODULE_DESCRIPTION("A simulated adapter with a clock");
MODULE_LICENSE("GPL");
