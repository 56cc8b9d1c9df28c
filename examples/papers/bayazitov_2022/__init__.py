"""Bayazitov 2022, "Distillation on multi-domain data".

Most tables of results repeat the one before and add rows to it: 3, 4, 5, 6, 7 and 9 are in
``table_fashion_mnist``, 13 in ``table_imagenette``, 16, 17 and 18 in ``table_regression``, and 19
is all of them. The other tables describe sets and networks; these are in the scripts. None is left
out. What cannot be had is Imagenette at the published 200 pixels (64 are at hand) and the image
whose style the author gave it.
"""
